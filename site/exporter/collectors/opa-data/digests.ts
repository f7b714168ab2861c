import { itemsOf } from "./compare.ts"
import type { Outcome, Place } from "./reading.ts"
import { serviceKey, type Target, targetKey } from "./target.ts"

export interface DigestOptions {
  /** Seconds from one collection to the next, as far as that is known. */
  readonly collections: number
  /** Seconds from one collection with digests to the next, at least. */
  readonly interval: number
  /** The greatest share of its time that an OPA may spend on them. */
  readonly budget: number
}

/** A digest, and the collection that it is of: those of two collections tell of different instants. */
export interface Digest {
  readonly value: string
  readonly round: number
}

/** Decides when digests are worth their price, for each OPA, and remembers them between. */
export interface Digests {
  /** Begins a collection at `now`, in milliseconds of Unix time: the OPAs that are to make digests in it. */
  begin(now: number, targets: readonly Target[]): ReadonlySet<Target>
  /** Ends it. */
  taken(now: number, asked: ReadonlySet<Target>, outcomes: readonly Outcome[]): void
  /**
   * Whether digests differ as they are known now. If so the next ones are due as soon as the budgets allow; in services
   * where they did not before, in the next collection, on credit: it may be a moment's difference.
   */
  differ(differ: boolean, anew?: ReadonlySet<string>): void
  /** The digest at path number `index`, if that place has not visibly changed since. */
  of(target: Target, index: number, place: Place): Digest | undefined
  /** Whether there may be one when they are taken the next time. */
  expected(target: Target, index: number, place: Place): boolean
  /** What is told of it in metrics. */
  told(target: Target): Told
}

export interface Told {
  /** Seconds from one digest of this OPA to its next, as the budget allows now. */
  readonly interval: number
  /** When it made the last ones, in Unix time; undefined: none when they were asked for last. */
  readonly at: number | undefined
  /** What they cost it, in seconds. */
  readonly seconds: number | undefined
}

interface Taken extends Omit<Told, "interval"> {
  readonly round: number
  /** None where there was no time for digests. */
  readonly places: readonly Place[]
  /** Seconds that its budget is charged with. */
  readonly cost: number
}

/** A timer that is a little early must not cost a whole round. */
const SLACK = 0.95

/**
 * OPAs that can't afford digests whenever they are due make them in every second, fourth, eighth … collection: so each
 * meets all those that make them as often or more often, and can be compared with them.
 */
export function createDigests({ collections, interval, budget }: DigestOptions): Digests {
  let last: number | undefined
  /** Numbers of collections: of the last one with digests, and of the one with digests before it. */
  let [round, before] = [0, -1]
  let differ = false
  let recheck: ReadonlySet<string> = new Set()
  let onCredit: ReadonlySet<Target> = new Set()
  let known: ReadonlyMap<string, Taken> = new Map()
  /** OPAs that gave no answer when they were asked for digests last, nor since. */
  let down: ReadonlySet<string> = new Set()

  const about = (target: Target): Taken | undefined => known.get(keyOf(target))
  /** Collections from one digest of an OPA to its next; 1 if it can afford them every `seconds`. */
  const everyOf = (target: Target, seconds: number): number => {
    const affordable = (SLACK * (about(target)?.cost ?? 0)) / budget
    return affordable <= seconds ? 1 : Math.max(1, 2 ** Math.ceil(Math.log2(affordable / collections)))
  }
  const isItsTurn = (target: Target): boolean => {
    const every = everyOf(target, differ ? 0 : interval)
    const since = round - (about(target)?.round ?? Number.NEGATIVE_INFINITY)
    return Math.floor(round / every) > Math.floor(before / every) && since >= every / 2
  }
  /** Not for who failed, or is in debt. */
  const hasCredit = (target: Target): boolean => {
    const { cost, seconds } = about(target) ?? {}
    return recheck.has(serviceKey(target)) && cost === seconds
  }
  const charge = (target: Target, result: Outcome["result"], now: number): Taken | undefined => {
    const taken = { round, places: [], at: undefined, seconds: undefined }
    const then = about(target)
    if ("places" in result) {
      const { places, digests, opaSeconds: seconds, gaveUpAfter } = result
      if (gaveUpAfter !== undefined) return { ...taken, cost: gaveUpAfter }
      if (!digests) return { ...taken, places, cost: 0 }
      const debt = onCredit.has(target) ? (then?.cost ?? 0) : 0
      return { ...taken, places, cost: debt + (seconds ?? 0), at: now / 1000, seconds }
    }
    // it may be digests that it dies of: each time twice as long without
    return down.has(keyOf(target)) ? { ...taken, cost: 2 * Math.max(then?.cost ?? 0, collections * budget) } : then
  }

  return {
    begin(now, targets) {
      const passed = last === undefined ? undefined : (now - last) / 1000
      // less than none: the clock was set back
      if (!differ && passed !== undefined && passed >= 0 && passed < interval * SLACK) return new Set()
      if (passed !== undefined) [round, before] = [round + Math.max(1, Math.round(passed / collections)), round]
      last = now
      const asked = targets.filter((one) => !down.has(keyOf(one)) && (isItsTurn(one) || hasCredit(one)))
      onCredit = new Set(asked.filter((target) => !isItsTurn(target)))
      recheck = new Set()
      return new Set(asked)
    },
    taken(now, asked, outcomes) {
      const silent = outcomes.flatMap(({ target, result }) => (isSilent(result) ? [target] : []))
      down = new Set(silent.filter((one) => asked.has(one) || down.has(keyOf(one))).map(keyOf))
      known = new Map(
        outcomes.flatMap(({ target, result }) => {
          const taken = asked.has(target) ? charge(target, result, now) : about(target)
          return taken === undefined ? [] : [[keyOf(target), taken] as const]
        }),
      )
    },
    differ(different, anew = new Set()) {
      differ = different
      recheck = anew
    },
    of(target, index, place) {
      const { places, round: made = 0 } = about(target) ?? {}
      const then = places?.[index]
      if (then?.kind !== "counted" || place.kind !== "counted" || itemsOf(then) !== itemsOf(place)) return undefined
      return then.digest === undefined ? undefined : { value: then.digest, round: made }
    },
    expected(target, index, place) {
      const then = about(target)?.places[index]
      // one that was asked and gave none has none
      return place.kind === "counted" && (then?.kind !== "counted" || then.digest !== undefined)
    },
    told(target) {
      const { at: made, seconds } = about(target) ?? {}
      return { interval: Math.max(interval, everyOf(target, interval) * collections), at: made, seconds }
    },
  }
}

/** A pod that came back under another address is another one. */
const keyOf = (target: Target): string => `${targetKey(target)} ${target.address} ${target.port}`
const isSilent = (result: Outcome["result"]): boolean =>
  "reason" in result && ["timeout", "refused", "connection"].includes(result.reason)
