import { digestIn, type ReadOutcome, type PathCount, sizeOf } from "./reading.ts"
import { instanceKey, type OpaTarget, serviceKey } from "./target.ts"

export interface DigestRules {
  /** Seconds from one collection to the next, as far as that is known. */
  readonly collections: number
  /** Seconds from one collection with digests to the next, at least. */
  readonly interval: number
  /** The greatest share of its time that an OPA may spend on them. */
  readonly budget: number
}

/** A digest, and the collection that it is of: those of two collections are of different instants. */
export interface Digest {
  readonly value: string
  readonly round: number
}

/** What is remembered of one OPA since digests were last requested of it. */
export interface PodDigests {
  readonly round: number
  /** None where there was no time for digests. */
  readonly pathCounts: readonly PathCount[]
  /** When it made them, in Unix time, and in how many seconds; undefined: it made none. */
  readonly at: number | undefined
  readonly seconds: number | undefined
  /** Seconds that its budget is charged with. */
  readonly cost: number
  /** It has not responded since. */
  readonly silent: boolean
}

export interface DigestState {
  /**
   * When digests were taken last: in milliseconds of Unix time, and as a number of collections since the first. Undefined
   * before that.
   */
  readonly clock: { readonly at: number; readonly round: number } | undefined
  readonly pods: ReadonlyMap<string, PodDigests>
}

export const NO_DIGESTS: DigestState = { clock: undefined, pods: new Map() }

/** How digests differ as they are known now. */
export interface DigestDifferences {
  readonly any: boolean
  /** Services where they did not before. */
  readonly anew: ReadonlySet<string>
}

/** Which OPAs are to make digests in one collection. */
interface DigestPlan extends Pick<DigestState, "clock"> {
  /** In milliseconds of Unix time. */
  readonly at: number
  /** Each with the seconds of earlier digests that its budget has not paid for yet. */
  readonly requested: ReadonlyMap<OpaTarget, number>
}

/** A timer that is a little early must not cost a whole round. */
const SLACK = 0.95

/**
 * Digests are due after their interval; where they differ, in every collection. OPAs that cannot afford them then make them
 * in every second, fourth, eighth … collection: so each meets all those that make them as often or more often, and can be
 * compared with them. Where services differ that did not before, all who have paid for their last digests make them at
 * once, on credit: it may be a moment's difference.
 */
export function planDigests(
  rules: DigestRules,
  { clock, pods }: DigestState,
  differences: DigestDifferences,
  at: number,
  targets: readonly OpaTarget[],
): DigestPlan {
  const { collections, interval } = rules
  const passed = clock === undefined ? undefined : (at - clock.at) / 1000
  // less than none: the clock was set back
  const early = passed !== undefined && passed >= 0 && passed < interval * SLACK
  if (early && !differences.any) return { at, clock, requested: new Map() }
  const before = clock?.round ?? -1
  const round = before + Math.max(1, Math.round((passed ?? 0) / collections))
  const requested = targets.flatMap((target): [OpaTarget, number][] => {
    const pod = pods.get(instanceKey(target))
    if (pod === undefined) return [[target, 0]]
    if (pod.silent) return []
    const every = roundsBetween(rules, pod.cost, differences.any ? 0 : interval)
    const isDue = Math.floor(round / every) > Math.floor(before / every) && round - pod.round >= every / 2
    if (isDue) return [[target, 0]]
    const hasPaid = pod.cost === pod.seconds
    return hasPaid && differences.anew.has(serviceKey(target)) ? [[target, pod.cost]] : []
  })
  return { at, clock: { at, round }, requested: new Map(requested) }
}

/** What is known of digests after the collection of `plan`. OPAs that are not among its outcomes are forgotten. */
export function recordDigests(
  rules: DigestRules,
  { pods }: DigestState,
  { at, clock, requested }: DigestPlan,
  outcomes: readonly ReadOutcome[],
): DigestState {
  const record = ({ target, result }: ReadOutcome): PodDigests | undefined => {
    const before = pods.get(instanceKey(target))
    const debt = requested.get(target)
    const silent = "reason" in result && ["timeout", "refused", "connection"].includes(result.reason)
    if (debt === undefined) return before && { ...before, silent: before.silent && silent }
    const none = { round: clock?.round ?? 0, pathCounts: [], at: undefined, seconds: undefined, silent }
    // it may be digests that it dies of: each time twice as long without
    if (silent) return { ...none, cost: 2 * Math.max(before?.cost ?? 0, rules.collections * rules.budget) }
    if (!("pathCounts" in result)) return before
    const { pathCounts, digests, opaSeconds: seconds, digestsFailedAfter } = result
    if (digestsFailedAfter !== undefined) return { ...none, cost: digestsFailedAfter }
    if (!digests) return { ...none, pathCounts, cost: 0 }
    return { ...none, pathCounts, at: at / 1000, seconds, cost: debt + (seconds ?? 0) }
  }
  const recorded = new Map<string, PodDigests>()
  for (const outcome of outcomes) {
    const pod = record(outcome)
    if (pod !== undefined) recorded.set(instanceKey(outcome.target), pod)
  }
  return { clock, pods: recorded }
}

/** Collections from one digest of an OPA to its next; 1 if it can afford them every `seconds`. */
function roundsBetween({ collections, budget }: DigestRules, cost: number, seconds: number): number {
  const affordable = (SLACK * cost) / budget
  return affordable <= seconds ? 1 : Math.max(1, 2 ** Math.ceil(Math.log2(affordable / collections)))
}

/** Seconds from one digest of an OPA to its next, as the budget allows now. */
export function digestInterval(rules: DigestRules, pod: PodDigests | undefined): number {
  return Math.max(rules.interval, roundsBetween(rules, pod?.cost ?? 0, rules.interval) * rules.collections)
}

/** The digest at path number `index`, if what the path holds has not visibly changed since. */
export function digestOf(pod: PodDigests | undefined, index: number, pathCount: PathCount): Digest | undefined {
  const then = pod?.pathCounts[index]
  const value = digestIn(then)
  if (pod === undefined || then === undefined || value === undefined) return undefined
  return sizeOf(then) === sizeOf(pathCount) ? { value, round: pod.round } : undefined
}

/** Whether there may be one when they are taken the next time. */
export function expectsDigest(pod: PodDigests | undefined, index: number, pathCount: PathCount): boolean {
  const then = pod?.pathCounts[index]
  // an OPA that made none on request makes none
  return (
    pathCount.kind !== "undefined" && (then === undefined || then.kind === "undefined" || digestIn(then) !== undefined)
  )
}
