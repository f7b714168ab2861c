import { FedstackError } from "#core/errors.ts"
import { type Limits, ownLimits, type Tally } from "./shared-limits.ts"
import type { TokenBucket } from "./token-bucket.ts"

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

/** Clients that have a state each, before idle ones are forgotten: tokens of an issuer can name any number. */
const MOST_STATES = 10_000

const UNLIMITED: TokenBucket = { take: () => 0, give: () => undefined }

export type ClientGate = ReturnType<typeof createClientGate>

/** Concurrency and rate of each client, by its name. `now`: milliseconds of a clock that only goes forward, here and below. */
export function createClientGate(now: () => number, shared: Limits = ownLimits) {
  const states = new Map<string, { readonly inFlight: Tally; perSecond?: number; bucket: TokenBucket }>()
  return {
    /** Counts a request as in flight until the result is called, once. Throws LimitExceeded. */
    enter({ name, limits }: { readonly name: string; readonly limits: RequestLimits }): () => void {
      const perSecond = limits.requestsPerSecond
      if (states.size >= MOST_STATES && !states.has(name)) {
        for (const [idle, { inFlight }] of states) if (inFlight.total === 0) states.delete(idle)
      }
      const state = states.get(name) ?? { inFlight: shared.tally(name), bucket: UNLIMITED }
      states.set(name, state)
      if (state.perSecond !== perSecond) {
        state.perSecond = perSecond
        // a second's worth at once, at least one
        const rate = { perSecond, burst: Math.max(1, perSecond) }
        state.bucket = perSecond === Infinity ? UNLIMITED : shared.tokens(name, rate, now)
      }
      // first counted, then judged: other threads do the same
      state.inFlight.add(1)
      const leave = (): void => state.inFlight.add(-1)
      if (state.inFlight.total > limits.concurrent) {
        leave()
        const message = `${name} may have ${requests(limits.concurrent)} in flight at once; retry when one has ended.`
        throw new LimitExceeded("TOO_MANY_AT_ONCE", message, 1)
      }
      const wait = state.bucket.take()
      if (wait > 0) {
        leave()
        const message = `${name} may send ${requests(perSecond)} a second at most; retry later.`
        throw new LimitExceeded("TOO_MANY_REQUESTS", message, wait)
      }
      return leave
    },
    /** Forgets all other clients; their requests in flight go on. */
    keep(names: Pick<ReadonlySet<string>, "has">): void {
      for (const [name, state] of states) if (!names.has(name) && state.inFlight.total === 0) states.delete(name)
    },
  }
}

const requests = (count: number): string => (count === 1 ? "1 request" : `${count} requests`)

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
    if (balances.size >= MOST_STATES && !balances.has(client)) forgetFull(time)
    const balance = balances.get(client) ?? { left: WORK_AT_ONCE, at: time }
    balance.left = Math.min(WORK_AT_ONCE, balance.left + ((time - balance.at) / 1000) * WORK_PER_SECOND)
    balance.at = time
    balances.set(client, balance)
    return balance
  }
  /** A client that has caused nothing for long enough has the same when it begins anew. */
  const forgetFull = (time: number): void => {
    for (const [client, { left, at }] of balances) {
      if (left + ((time - at) / 1000) * WORK_PER_SECOND >= WORK_AT_ONCE) balances.delete(client)
    }
  }
  return {
    /** Seconds until the client may cause more; 0 where it may now. */
    wait: (client: string): number => Math.max(0, -balanceOf(client).left / WORK_PER_SECOND),
    /** `seconds` that the client caused. */
    spend(client: string, seconds: number): void {
      balanceOf(client).left -= seconds
    },
    /** Forgets all other clients. */
    keep(names: Pick<ReadonlySet<string>, "has">): void {
      for (const name of balances.keys()) if (!names.has(name)) balances.delete(name)
    },
  }
}
