/**
 * This room: how much a client may take, and how much those that are not authenticated: concurrency, rate, work, failed
 * authentications. It knows clients by their names and requests by their addresses, and nothing of what they request. It is
 * below core/http, whose web configuration limits rates too.
 */
import { LimitExceeded } from "./errors.ts"
import { type TokenBucket, tokenBucket } from "./token-bucket.ts"

/** Infinity: without limit. */
export interface RequestLimits {
  /** Requests at once. */
  readonly concurrent: number
  readonly requestsPerSecond: number
}

export interface LimitedClient {
  readonly name: string
  readonly limits: RequestLimits
}

/** Concurrency and rate of each client, by its name. */
export interface ClientGate {
  /** Counts a request as in flight until the result is called, once. Throws LimitExceeded. */
  enter(client: LimitedClient): () => void
  /** Forgets all other clients; their requests in flight go on. */
  keep(names: ReadonlySet<string>): void
}

interface GateState {
  inFlight: number
  perSecond: number
  bucket: TokenBucket
}

/** `now`: milliseconds of a clock that only goes forward, here and below. */
export function createClientGate(now: () => number): ClientGate {
  const states = new Map<string, GateState>()
  const stateOf = (name: string, perSecond: number): GateState => {
    let state = states.get(name)
    if (state === undefined) {
      states.set(name, (state = { inFlight: 0, perSecond, bucket: requestBucket(perSecond, now) }))
    } else if (state.perSecond !== perSecond) {
      state.perSecond = perSecond
      state.bucket = requestBucket(perSecond, now)
    }
    return state
  }
  return {
    enter({ name, limits }) {
      const state = stateOf(name, limits.requestsPerSecond)
      if (state.inFlight >= limits.concurrent) {
        const message = `${name} may have ${limits.concurrent} requests in flight at once; retry when one has ended.`
        throw new LimitExceeded("TOO_MANY_AT_ONCE", message, 1)
      }
      const wait = state.bucket.take()
      if (wait > 0) {
        const message = `${name} may send ${limits.requestsPerSecond} requests a second at most; retry later.`
        throw new LimitExceeded("TOO_MANY_REQUESTS", message, wait)
      }
      state.inFlight++
      return () => state.inFlight--
    },
    keep(names) {
      for (const [name, state] of states) if (!names.has(name) && state.inFlight === 0) states.delete(name)
    },
  }
}

const UNLIMITED: TokenBucket = { take: () => 0, give: () => undefined }

/** A second's worth at once, at least one. */
function requestBucket(perSecond: number, now: () => number): TokenBucket {
  return perSecond === Infinity ? UNLIMITED : tokenBucket({ perSecond, burst: Math.max(1, perSecond) }, now)
}

/** Seconds of work that a client may cause at once, and per second of time for as long as it goes on. */
const WORK_AT_ONCE = 2
const WORK_PER_SECOND = 0.05

/**
 * The work that each client may cause before its requests are known: whether a new selector is shared can take a second
 * to decide. What was decided before costs nothing.
 */
export interface WorkBudget {
  /** Seconds until the client may cause more; 0 where it may now. */
  wait(client: string): number
  /** `seconds` that the client caused. */
  spend(client: string, seconds: number): void
  /** Forgets all other clients. */
  keep(names: ReadonlySet<string>): void
}

export function createWorkBudget(now: () => number): WorkBudget {
  const balances = new Map<string, { left: number; at: number }>()
  const balanceOf = (client: string): { left: number; at: number } => {
    const time = now()
    const balance = balances.get(client) ?? { left: WORK_AT_ONCE, at: time }
    balance.left = Math.min(WORK_AT_ONCE, balance.left + ((time - balance.at) / 1000) * WORK_PER_SECOND)
    balance.at = time
    balances.set(client, balance)
    return balance
  }
  return {
    wait: (client) => Math.max(0, -balanceOf(client).left / WORK_PER_SECOND),
    spend(client, seconds) {
      balanceOf(client).left -= seconds
    },
    keep(names) {
      for (const name of balances.keys()) if (!names.has(name)) balances.delete(name)
    },
  }
}
