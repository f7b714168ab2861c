import type { Client, ClientLimits } from "../policy/types.ts"
import { type Bucket, bucket } from "./rate.ts"

export type Verdict =
  | { readonly kind: "admitted" }
  | { readonly kind: "too many at once"; readonly limit: number }
  /** `wait`: seconds. */
  | { readonly kind: "too many a second"; readonly limit: number; readonly wait: number }

export interface ClientGate {
  /** Counts the request as under way where it is admitted: `leave` must be called once then. */
  enter({ name, limits }: Pick<Client, "name" | "limits">): Verdict
  leave(name: string): void
  /** Forgets clients that are no more; what they have under way is let finish. */
  keep(names: ReadonlySet<string>): void
}

const ADMITTED: Verdict = { kind: "admitted" }

interface State {
  underWay: number
  perSecond: number
  bucket: Bucket
}

/** Concurrency and rate of each client, by its name. */
export function gateOfClients(now: () => number): ClientGate {
  const states = new Map<string, State>()
  const stateOf = (name: string, { requestsPerSecond }: ClientLimits): State => {
    let state = states.get(name)
    if (state?.perSecond === requestsPerSecond) return state
    state = { underWay: state?.underWay ?? 0, perSecond: requestsPerSecond, bucket: rateOf(requestsPerSecond, now) }
    states.set(name, state)
    return state
  }
  return {
    enter({ name, limits }) {
      const state = stateOf(name, limits)
      if (state.underWay >= limits.concurrent) return { kind: "too many at once", limit: limits.concurrent }
      const wait = state.bucket.take()
      if (wait > 0) return { kind: "too many a second", limit: limits.requestsPerSecond, wait }
      state.underWay++
      return ADMITTED
    },
    leave(name) {
      const state = states.get(name)
      if (state !== undefined) state.underWay--
    },
    keep(names) {
      for (const [name, state] of states) if (!names.has(name) && state.underWay === 0) states.delete(name)
    },
  }
}

const UNLIMITED: Bucket = { take: () => 0, give: () => undefined }

/** A second's worth at once, at least one. */
function rateOf(perSecond: number, now: () => number): Bucket {
  return perSecond === Infinity ? UNLIMITED : bucket({ perSecond, burst: Math.max(1, perSecond) }, now)
}
