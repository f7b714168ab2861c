import { explain } from "#core/errors.ts"
import { logChanges } from "#core/log/changes.ts"
import type { Logger } from "#core/log/logger.ts"
import { jitter, pause } from "#core/retry/backoff.ts"
import { Deadline } from "#core/retry/deadline.ts"
import type { KubernetesApi } from "./api.ts"
import { KubernetesError } from "./errors.ts"
import { objectsOf } from "./objects.ts"
import { type KubernetesObject, microTime, type Resource } from "./resource.ts"

export interface LeaseOptions {
  readonly namespace: string
  readonly name: string
  /** Of this process alone: the name of its pod. */
  readonly identity: string
  /** Whole seconds without renewal after which another replica takes over. */
  readonly seconds?: number
  /**
   * What one replica does while it holds the lease. It ends soon when `signal` is aborted: another replica may begin a third
   * of `seconds` later. Where it fails it is begun again, as when the lease is held again.
   */
  readonly work: (signal: AbortSignal) => Promise<void>
  readonly log: Logger
  readonly now: () => Date
}

export type LeaseHolder = ReturnType<typeof holdLease>

/** https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/lease-v1/ */
interface Lease extends KubernetesObject {
  readonly spec?: {
    readonly holderIdentity?: string
    readonly leaseDurationSeconds?: number
    readonly acquireTime?: string
    readonly renewTime?: string
    readonly leaseTransitions?: number
  }
}

const LEASES: Resource<Lease> = { group: "coordination.k8s.io", version: "v1", plural: "leases", kind: "Lease" }

/** Of one renewal, where others write to the lease at the same time. */
const ATTEMPTS = 3

/** Tries to get the lease, works while it has it, and gives it back when closed. Clocks of replicas need not agree. */
export function holdLease(api: KubernetesApi, options: LeaseOptions) {
  const { namespace, name, identity, seconds = 15, work, log, now } = options
  const ending = new AbortController()
  const leases = objectsOf(api, LEASES)
  let holder = ""
  let problem: string | undefined
  /** The newest version, and when this process saw it first: that it is not renewed is judged by this clock alone. */
  let seen = { version: "", at: 0 }
  let term: { readonly stop: AbortController; readonly expiry: NodeJS.Timeout } | undefined
  /** As this process wrote it last. */
  let written: Lease | undefined
  let working = Promise.resolve()

  const logProblem = logChanges((reason?: string) => {
    if (reason === undefined) log.info({ lease: name }, "renewing the lease works again")
    else log.warn({ lease: name, reason }, "renewing the lease failed, retrying until it succeeds")
  })

  /** When the request began by which the lease is ours now; undefined: it is not. */
  async function tryHold(): Promise<number | undefined> {
    for (let attempt = 1; ; attempt++) {
      try {
        // an API that takes its time for each request leaves time for one
        return await (term !== undefined && written !== undefined ? renew(written) : readAndHold())
      } catch (error) {
        if (!(error instanceof KubernetesError && error.statusCode === 409)) throw error
        // another was quicker, or wrote something else, or the response to the last write was lost
        written = undefined
        if (attempt === ATTEMPTS) throw error
      }
    }
  }

  const renew = (lease: Lease): Promise<number> =>
    write({ ...lease, spec: { ...lease.spec, renewTime: microTime(now()) } })

  async function readAndHold(): Promise<number | undefined> {
    const lease = await withDeadline((signal) => leases.get({ namespace, name }, signal))
    const { resourceVersion = "" } = lease?.metadata ?? {}
    if (resourceVersion !== seen.version) seen = { version: resourceVersion, at: performance.now() }
    const { holderIdentity = "", leaseDurationSeconds = seconds, leaseTransitions = 0, acquireTime } = lease?.spec ?? {}
    holder = holderIdentity
    const renewed = term !== undefined && holder === identity
    const expired = performance.now() - seen.at > leaseDurationSeconds * 1000
    if (holder !== "" && holder !== identity && !expired) return undefined
    const time = microTime(now())
    const spec = {
      holderIdentity: identity,
      leaseDurationSeconds: seconds,
      renewTime: time,
      acquireTime: renewed ? (acquireTime ?? time) : time,
      leaseTransitions: leaseTransitions + (lease === undefined || holder === identity ? 0 : 1),
    }
    const at = await write({ metadata: { name, namespace }, ...lease, spec })
    holder = identity
    return at
  }

  /** When the request began. */
  async function write(lease: Lease): Promise<number> {
    const at = performance.now()
    const verb = lease.metadata.resourceVersion === undefined ? "create" : "update"
    written = await withDeadline((signal) => leases[verb](lease, signal))
    return at
  }

  async function withDeadline<T>(request: (signal: AbortSignal) => Promise<T>): Promise<T> {
    using deadline = new Deadline(seconds / 3, ending.signal)
    return await request(deadline.signal)
  }

  /** `at`: when the request began that wrote the lease, which is before others can count from. */
  function begin(at: number): void {
    const left = at + (seconds * 2000) / 3 - performance.now()
    const stop = term?.stop ?? new AbortController()
    clearTimeout(term?.expiry)
    if (term === undefined) {
      log.info({ lease: name }, "lease acquired, becoming active")
      working = working
        .then(() => (stop.signal.aborted ? undefined : work(stop.signal)))
        .catch((error: unknown) => {
          // the failure of an earlier term's work, which had to end, is none of this term
          if (term?.stop === stop) end(`the work under it failed: ${explain(error)}`)
        })
    }
    term = { stop, expiry: setTimeout(end, left, "not renewed in time") }
  }

  function end(reason: string): void {
    if (term === undefined) return
    clearTimeout(term.expiry)
    term.stop.abort()
    term = undefined
    log.warn({ lease: name, reason }, "lease lost, becoming passive")
  }

  async function run(): Promise<void> {
    while (!ending.signal.aborted) {
      const begun = performance.now()
      try {
        const at = await tryHold()
        if (at === undefined) end(`held by ${holder}`)
        else begin(at)
        problem = undefined
      } catch (error) {
        if (ending.signal.aborted) return
        problem = explain(error)
      }
      logProblem(problem)
      // from one begin to the next, so that a renewal that hangs leaves time for another
      const passed = term === undefined ? 0 : (performance.now() - begun) / 1000
      await pause(Math.max(0, jitter(seconds / 4) - passed), ending.signal)
    }
  }

  async function release(): Promise<void> {
    using deadline = new Deadline(seconds / 3)
    const lease = await leases.get({ namespace, name }, deadline.signal)
    if (lease?.spec?.holderIdentity !== identity) return
    const { leaseTransitions = 0 } = lease.spec
    const spec = { leaseTransitions, leaseDurationSeconds: 1, renewTime: microTime(now()) }
    await leases.update({ ...lease, spec }, deadline.signal)
  }

  const running = run()
  return {
    /** Whether this replica is the active one. */
    isHeld: () => term !== undefined,
    /** The identity of the active one, as it was read last; "" where there is none. */
    holder: () => holder,
    /** Why the lease could not be read or written; undefined while it can. */
    problem: () => problem,
    async close(): Promise<void> {
      ending.abort()
      await running
      if (term === undefined) return working
      clearTimeout(term.expiry)
      term.stop.abort()
      await working // before another begins
      term = undefined
      await release().catch((error: unknown) => {
        log.warn({ lease: name, reason: explain(error) }, "releasing the lease failed, it expires by itself")
      })
    },
  }
}
