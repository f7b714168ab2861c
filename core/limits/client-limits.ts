import { FedstackError } from "#core/errors.ts"
import { type TokenBucket, tokenBucket } from "./token-bucket.ts"

/** A client has used up a limit, and is to retry after some seconds. */
export class LimitExceeded extends FedstackError {
  readonly retryAfter: number

  constructor(code: string, message: string, retryAfter: number) {
    super(code, 429, message)
    this.retryAfter = retryAfter
  }
}

/** Infinity: without limit. */
export interface RequestLimits {
  /** Requests at once. */
  readonly concurrent: number
  readonly requestsPerSecond: number
}

const UNLIMITED: TokenBucket = { take: () => 0, give: () => undefined }

export type ClientGate = ReturnType<typeof createClientGate>

/** Concurrency and rate of each client, by its name. `now`: milliseconds of a clock that only goes forward, here and below. */
export function createClientGate(now: () => number) {
  const states = new Map<string, { inFlight: number; perSecond?: number; bucket: TokenBucket }>()
  return {
    /** Counts a request as in flight until the result is called, once. Throws LimitExceeded. */
    enter({ name, limits }: { readonly name: string; readonly limits: RequestLimits }): () => void {
      const perSecond = limits.requestsPerSecond
      const state = states.get(name) ?? { inFlight: 0, bucket: UNLIMITED }
      states.set(name, state)
      if (state.perSecond !== perSecond) {
        state.perSecond = perSecond
        // a second's worth at once, at least one
        const rate = { perSecond, burst: Math.max(1, perSecond) }
        state.bucket = perSecond === Infinity ? UNLIMITED : tokenBucket(rate, now)
      }
      if (state.inFlight >= limits.concurrent) {
        const message = `${name} may have ${limits.concurrent} requests in flight at once; retry when one has ended.`
        throw new LimitExceeded("TOO_MANY_AT_ONCE", message, 1)
      }
      const wait = state.bucket.take()
      if (wait > 0) {
        const message = `${name} may send ${perSecond} requests a second at most; retry later.`
        throw new LimitExceeded("TOO_MANY_REQUESTS", message, wait)
      }
      state.inFlight++
      return () => state.inFlight--
    },
    /** Forgets all other clients; their requests in flight go on. */
    keep(names: ReadonlySet<string>): void {
      for (const [name, state] of states) if (!names.has(name) && state.inFlight === 0) states.delete(name)
    },
  }
}

/** Seconds of work that a client may cause at once, and per second of time for as long as it goes on. */
const WORK_AT_ONCE = 2
const WORK_PER_SECOND = 0.05

export type WorkBudget = ReturnType<typeof createWorkBudget>

/**
 * The work that each client may cause before its requests are known: whether a new selector is shared can take a second
 * to decide. What was decided before costs nothing.
 */
export function createWorkBudget(now: () => number) {
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
    /** Seconds until the client may cause more; 0 where it may now. */
    wait: (client: string): number => Math.max(0, -balanceOf(client).left / WORK_PER_SECOND),
    /** `seconds` that the client caused. */
    spend(client: string, seconds: number): void {
      balanceOf(client).left -= seconds
    },
    /** Forgets all other clients. */
    keep(names: ReadonlySet<string>): void {
      for (const name of balances.keys()) if (!names.has(name)) balances.delete(name)
    },
  }
}
