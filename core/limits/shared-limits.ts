import { createHash } from "node:crypto"
import { type DebtBucket, debtBucket, type Rate, spend, type TokenBucket, tokenBucket } from "./token-bucket.ts"

/** What is in flight. */
export interface Tally {
  readonly total: number
  add(amount: number): void
}

/** Limits by name: of this thread, or shared with others. Equal names and rates are the same limit. */
export interface Limits {
  tally(name: string): Tally
  tokens(name: string, rate: Rate, now: () => number): TokenBucket
  debts(name: string, rate: Rate, now: () => number): DebtBucket
}

export const ownLimits: Limits = {
  tally(): Tally {
    let total = 0
    return {
      get total() {
        return total
      },
      add: (amount) => void (total += amount),
    }
  },
  tokens: (_, rate, now) => tokenBucket(rate, now),
  debts: (_, rate, now) => debtBucket(rate, now),
}

/** Memory of limits that several threads share. */
export interface LimitMemory {
  readonly buffer: SharedArrayBuffer
  readonly threads: number
}

/** Places for limits: what comes when all are taken is limited in each thread. */
const PLACES = 2 ** 14
/** Of a place: what it is of; until when it is used up; what each thread has in flight. */
const [KEY, UNTIL, IN_FLIGHT] = [0, 1, 2]

export const createLimitMemory = (threads: number): LimitMemory => ({
  buffer: new SharedArrayBuffer(8 * PLACES * (IN_FLIGHT + threads)),
  threads,
})

/** A thread has ended: it has nothing in flight. */
export function clearThread({ buffer, threads }: LimitMemory, thread: number): void {
  const words = new BigInt64Array(buffer)
  for (let at = IN_FLIGHT + thread; at < words.length; at += IN_FLIGHT + threads) Atomics.store(words, at, 0n)
}

/** As one of the threads has them. `now` of all limits is the time of all threads, in milliseconds. */
export function sharedLimits({ buffer, threads }: LimitMemory, thread: number): Limits {
  const words = new BigInt64Array(buffer)

  /** Where the place of this name begins, the same in all threads; undefined where none is left. */
  function placeOf(name: string): number | undefined {
    const key = createHash("sha256").update(name).digest().readBigInt64LE() || 1n
    const first = Number(BigInt.asUintN(32, key)) % PLACES
    for (let tried = 0; tried < PLACES; tried++) {
      const place = ((first + tried) % PLACES) * (IN_FLIGHT + threads)
      const found = Atomics.compareExchange(words, place + KEY, 0n, key)
      if (found === 0n || found === key) return place
    }
    return undefined
  }

  function spendAt(at: number, rate: Rate, now: number, amount: number, least: number): number {
    for (;;) {
      const until = Atomics.load(words, at)
      const result = spend(until, rate, now, amount, least)
      if ("wait" in result) return result.wait
      if (Atomics.compareExchange(words, at, until, result.until) === until) return 0
    }
  }

  const placeOfRate = (kind: string, name: string, { perSecond }: Rate) => placeOf(`${kind} ${perSecond} ${name}`)

  return {
    tally(name) {
      const place = placeOf(`in flight ${name}`)
      if (place === undefined) return ownLimits.tally(name)
      const first = place + IN_FLIGHT
      return {
        get total() {
          let total = 0
          for (let at = first; at < first + threads; at++) total += Number(Atomics.load(words, at))
          return total
        },
        add: (amount) => void Atomics.add(words, first + thread, BigInt(amount)),
      }
    },
    tokens(name, rate, now) {
      const place = placeOfRate("tokens", name, rate)
      if (place === undefined) return ownLimits.tokens(name, rate, now)
      return {
        take: () => spendAt(place + UNTIL, rate, now(), 1, 1),
        give: () => void spendAt(place + UNTIL, rate, now(), -1, -Infinity),
      }
    },
    debts(name, rate, now) {
      const place = placeOfRate("debts", name, rate)
      if (place === undefined) return ownLimits.debts(name, rate, now)
      return { spend: (amount) => spendAt(place + UNTIL, rate, now(), amount, 0) }
    },
  }
}
