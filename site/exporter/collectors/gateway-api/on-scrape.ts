import type { KubernetesApi } from "#core/kubernetes/api.ts"
import { KubernetesError } from "#core/kubernetes/errors.ts"
import { listObjects } from "#core/kubernetes/list.ts"
import { Deadline } from "#core/retry/deadline.ts"
import type { Collector } from "../../collector.ts"
import { createExposition } from "./exposition.ts"
import { createFilled, type Filled, namespacesOf, type Scope } from "./scope.ts"
import { type KindState, missingOf, statusText } from "./status.ts"
import { groupsOf, inOrder, problemOf, rememberTargets, type Target } from "./targets.ts"

/** Lists every kind at each scrape, within `timeout` seconds. Only which kinds are served is kept in between. */
export function collectOnScrape(api: KubernetesApi, scope: Scope, timeout: number) {
  const { kinds } = scope
  const groups = groupsOf(kinds).map((group) => readGroup(api, scope, rememberTargets(api, kinds, group)))
  return (async (ended) => {
    using deadline = new Deadline(timeout, ended)
    const all = await Promise.all(groups.map((read) => read(deadline.signal, ended)))
    const read = inOrder(kinds, all.flat(), ({ state }) => state.target)
    const states = read.map(({ state }) => state)
    const sources = read.flatMap(({ filled }) => filled)
    return { families: createExposition()(sources, statusText(states)), missing: missingOf(states) }
  }) satisfies Collector["collect"]
}

interface Read {
  readonly filled: readonly Filled[]
  readonly state: KindState
}

/** Reads the kinds of a group, each for itself. */
function readGroup(api: KubernetesApi, scope: Scope, served: ReturnType<typeof rememberTargets>) {
  return async (signal: AbortSignal, ended: AbortSignal): Promise<readonly Read[]> => {
    const targets = await served.current(signal, ended)
    const all = await Promise.all(targets.map((target) => readKind(api, scope, target, signal, ended)))
    if (all.some(({ state }) => state.problem?.statusCode === 404)) served.forget()
    return all
  }
}

async function readKind(
  api: KubernetesApi,
  scope: Scope,
  target: Target,
  signal: AbortSignal,
  ended: AbortSignal,
): Promise<Read> {
  const lists = await Promise.all(
    namespacesOf(scope, target).map((namespace) => list(api, scope, target, namespace, signal).catch(problemOf(ended))),
  )
  const filled = lists.flatMap((each) => (each === undefined || each instanceof KubernetesError ? [] : [each]))
  const problem = target.problem ?? lists.find((each) => each instanceof KubernetesError)
  return { filled, state: { target, stores: filled.map(({ store }) => store), problem } }
}

/** The objects of a kind in a namespace, all of them or none; undefined where the kind is not served. */
async function list(
  api: KubernetesApi,
  scope: Scope,
  target: Target,
  namespace: string | undefined,
  signal: AbortSignal,
): Promise<Filled | undefined> {
  const { resource } = target
  if (resource === undefined) return undefined
  const filled = createFilled(target, resource.version, scope)
  await listObjects(api, { resource, namespace }, filled.put, signal)
  return filled
}
