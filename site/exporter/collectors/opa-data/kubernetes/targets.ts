import { closeAll } from "#core/closable.ts"
import { Faults } from "#core/config/faults.ts"
import { explain, UsageError } from "#core/errors.ts"
import { type KubernetesApi, openKubernetes } from "#core/kubernetes/api.ts"
import { listObjects } from "#core/kubernetes/list.ts"
import { objectsOf } from "#core/kubernetes/objects.ts"
import { type Watched, watchObjects } from "#core/kubernetes/watch-objects.ts"
import { logChanges } from "#core/log/changes.ts"
import type { Logger } from "#core/log/logger.ts"
import { pause } from "#core/retry/backoff.ts"
import type { OpaTargets } from "../target.ts"
import { podsIn } from "./pods.ts"
import { ENDPOINTS, type EndpointsObject, SERVICE_NAME, type Slice, sliceOf, SLICES, slicesOf } from "./slice.ts"

/** Seconds between two reads of Endpoints, for services without EndpointSlices. */
const READ_EVERY = 15

/** Which pods are read. */
export interface KubernetesOptions {
  /** See kubernetesSettings. */
  readonly kubeconfig: string | undefined
  readonly context: string | undefined
  readonly namespace: string
  readonly services: readonly string[]
  /** Of services, beside those that are named. */
  readonly selector: string | undefined
  /** Name or number; undefined: the first one of the service. */
  readonly port: string | undefined
  /** Where the address of the cluster that a pod runs in is found. */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly log: Logger
  /** Aborted when the process is to end. */
  readonly signal: AbortSignal
}

/** Finds the pods of services, and keeps to them as they change. */
export async function kubernetesTargets(options: KubernetesOptions): Promise<OpaTargets> {
  const { namespace, services, selector, port, log, signal: ended } = options
  checkNames(options)
  const api = await open(options)
  const ending = new AbortController()
  const signal = AbortSignal.any([ending.signal, ended])
  let pods: ReturnType<typeof find> | undefined
  const changed = (): void => void (pods = undefined)

  const watches = selectorsOf(services, selector).map((labelSelector) =>
    watchObjects(api, {
      resource: SLICES,
      namespace,
      labelSelector,
      keep: sliceOf,
      changed,
      problemChanged: changed,
      log,
    }),
  )
  const endpoints = readEndpoints(api, options, watches, changed, signal)

  let complete = false
  const first = endpoints.first.then(() => void (complete = true))

  const find = () => {
    const sliced = servicesIn(slicesIn(watches.filter(isAllowed)))
    const older = endpoints.known()
    // Endpoints are for services whose slices may not be read any more, not for those that have slices
    const slices = slicesIn(watches).filter(({ service }) => sliced.has(service) || !older.has(service))
    const others = [...older].filter(([service]) => !sliced.has(service))
    const outdated = others.length > 0 ? endpoints.problem() : undefined
    const known = new Set([...servicesIn(slices), ...older.keys()])
    const all = [...slices, ...others.flatMap(([, found]) => found)]
    const { targets, faults } = podsIn(all, namespace, port)
    const problems = [
      ...(outdated === undefined ? [] : [outdated]),
      ...services
        .filter((service) => !known.has(service))
        .map((service) => `There is no service ${service} in the namespace ${namespace}.`),
      ...(known.size === 0 && services.length === 0
        ? [`No service in the namespace ${namespace} has the labels ${selector}.`]
        : []),
      ...faults,
    ]
    const inhabited = servicesIn(all.filter((slice) => slice.endpoints.length > 0))
    const withoutPods = [...known].filter((service) => !inhabited.has(service)).toSorted()
    return { targets, problems, withoutPods: withoutPods.map((service) => ({ namespace, service })) }
  }
  const found = () => (pods ??= find())

  return {
    current: () => found().targets,
    problem() {
      const refused = watches.flatMap((watch) => watch.problem() ?? [])
      // Endpoints hold the same
      const serious = refused.filter(({ statusCode }) => !isRefusal(statusCode) || endpoints.problem() !== undefined)
      if (!complete || serious.length > 0) return serious.map(explain)[0]
      return found().problems.length === 0 ? undefined : found().problems.join(" ")
    },
    withoutPods: () => (complete ? found().withoutPods : []),
    first,
    async close() {
      ending.abort()
      await closeAll([...watches, endpoints, api])
    },
  }
}

async function open({ kubeconfig, context, env }: KubernetesOptions): Promise<KubernetesApi> {
  try {
    return await openKubernetes({ kubeconfig, context, env })
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    const advice = "; give --opa-url for an OPA outside of Kubernetes"
    const helps = (message: string): boolean => /^(?:is needed|there is no file)/.test(message)
    throw new UsageError(
      error.faults.map(({ where, message }) => ({ where, message: message + (helps(message) ? advice : "") })),
    )
  }
}

/** Names are put into selectors, where a comma or bracket would mean something. */
function checkNames({ namespace, services, port }: KubernetesOptions): void {
  const faults = new Faults()
  const expect = (where: string, value: string, pattern: RegExp, what: string): void => {
    if (!pattern.test(value)) faults.add(where, `must be ${what} (is ${JSON.stringify(value)})`)
  }
  for (const service of services) expect("--opa-service", service, LABEL, "the name of a service")
  expect("--opa-namespace", namespace, LABEL, "the name of a namespace")
  if (port !== undefined) expect("--opa-port", port, PORT, "the name or number of a port")
  faults.orThrow(UsageError)
}

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/names/ */
const LABEL = /^(?=.{1,63}$)[\da-z](?:[\da-z-]*[\da-z])?$/
/** RFC 6335 names and numbers. */
const PORT = /^(?:(?=.*[a-z])[\da-z-]{1,15}|[1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d\d|655[0-2]\d|6553[0-5])$/

/** Labels of the EndpointSlices that are wanted; those of a service are also on its slices, so services are not read. */
function selectorsOf(services: readonly string[], selector: string | undefined): readonly string[] {
  return [
    ...(services.length === 0 ? [] : [`${SERVICE_NAME} in (${services.join(",")})`]),
    ...(selector === undefined ? [] : [`${SERVICE_NAME},${selector}`]),
  ]
}

function slicesIn(watches: readonly Watched<Slice>[]): readonly Slice[] {
  const all = watches.flatMap((watch) => [...(watch.objects() ?? [])])
  return [...new Map(all).values()] // one that two selectors find counts once
}

const servicesIn = (slices: readonly Slice[]): ReadonlySet<string> => new Set(slices.map(({ service }) => service))

/** Rights on EndpointSlices are missing, or an API so old that it has none. */
const isRefusal = (statusCode: number): boolean => statusCode === 403 || statusCode === 404
const isAllowed = (watch: Watched<Slice>): boolean => !isRefusal(watch.problem()?.statusCode ?? 0)

/** Reads the Endpoints of services without EndpointSlices: one by one, for which the right `get` alone suffices. */
function readEndpoints(
  api: KubernetesApi,
  { namespace, services, selector, log }: KubernetesOptions,
  watches: readonly Watched<Slice>[],
  changed: () => void,
  signal: AbortSignal,
) {
  /** After the first lists of `watches` too. */
  const { promise: first, resolve: resolveFirst } = Promise.withResolvers<void>()
  let known: ReadonlyMap<string, readonly Slice[]> = new Map()
  let problem: string | undefined
  const logRefused = logChanges((refused?: boolean) => {
    if (refused === true) log.info("reading Endpoints instead of EndpointSlices")
  })

  const read = async (refused: boolean): Promise<ReadonlyMap<string, readonly Slice[]>> => {
    const found = new Map<string, readonly Slice[]>()
    const add = (object: EndpointsObject): void => void found.set(object.metadata.name, slicesOf(object))
    const sliced = servicesIn(slicesIn(watches.filter(isAllowed)))
    for (const name of services.filter((service) => !sliced.has(service))) {
      const object = await objectsOf(api, ENDPOINTS).get({ namespace, name }, signal)
      if (object !== undefined) add(object)
    }
    if (refused && selector !== undefined) {
      await listObjects(api, { resource: ENDPOINTS, namespace, labelSelector: selector }, add, signal)
    }
    return found
  }
  const run = async (): Promise<void> => {
    await Promise.all(watches.map((watch) => watch.first))
    while (!signal.aborted) {
      const refused = !watches.every(isAllowed)
      try {
        known = await read(refused)
        problem = undefined
        logRefused(refused)
      } catch (error) {
        problem = explain(error)
      }
      changed()
      resolveFirst()
      await pause(READ_EVERY, signal)
    }
    resolveFirst()
  }
  const running = run()
  return {
    /** By the name of their service. */
    known: () => known,
    problem: () => problem,
    first,
    close: () => running,
  }
}
