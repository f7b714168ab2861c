import type { Digest } from "./digests.ts"
import { itemsOf, type PathCount, sizeOf, substanceOf } from "./reading.ts"

/** One replica at a path. */
export interface Replica {
  readonly pod: string
  readonly pathCount: PathCount
  /** Of the same content as `place`; undefined where it is not known. */
  readonly digest: Digest | undefined
  /** Whether it deviated from the majority when replicas were compared last. */
  readonly wasDeviating: boolean
}

export interface Comparison {
  /** The greatest difference in items; an undefined path has none. */
  readonly spread: number
  /** How many pods agree with the majority, itself counted. */
  readonly majority: number
  /** Pods that hold something else than the majority. */
  readonly deviating: ReadonlySet<string>
  /** How many replicas were compared, and which of them by digest too. */
  readonly replicas: number
  readonly byDigest: ReadonlySet<string>
  /** Whether replicas with as many items have different digests. */
  readonly digestsDiffer: boolean
}

/**
 * Replicas agree when they have as many items and no two digests differ; namespaces do not count, because kube-mgmt leaves
 * empty ones behind in some replicas only. Digests are compared with those of the same collection, the newest that any of
 * those with as many items has, for objects change in between. One whose digest is older or not known is taken to be like
 * most of those that did not deviate before. The majority is the largest group that agrees among those that hold most: a
 * replica with items is never outvoted by such as have lost or never loaded theirs. Among groups of one size it is the one
 * with more items, for objects get lost more often than invented, then the one in which fewer pods deviated before, and then
 * the one that holds the first pod by name.
 */
export function compare(replicas: readonly Replica[]): Comparison {
  const bySize = Map.groupBy(replicas, ({ pathCount }) => sizeOf(pathCount))
  const split = [...bySize.values()].map(splitByDigest)
  const groups = split.flatMap((one) => one.groups)
  const [majority, ...others] = groups.toSorted(
    (a, b) => mostIn(b) - mostIn(a) || b.length - a.length || itemsIn(b) - itemsIn(a) || bySteadiness(a, b),
  )
  const items = replicas.map(({ pathCount }) => itemsOf(pathCount))
  return {
    spread: majority === undefined ? 0 : Math.max(...items) - Math.min(...items),
    majority: majority?.length ?? 0,
    deviating: new Set(others.flat().map(({ pod }) => pod)),
    replicas: replicas.length,
    byDigest: new Set(split.flatMap(({ known }) => known.map(({ pod }) => pod))),
    digestsDiffer: groups.length > bySize.size,
  }
}

/** Groups that agree, and those that were compared by digest. */
function splitByDigest(replicas: readonly Replica[]) {
  const newest = Math.max(...replicas.map(({ digest }) => digest?.round ?? -1))
  const known = replicas.filter(({ digest }) => digest?.round === newest)
  const unknown = replicas.filter(({ digest }) => digest?.round !== newest)
  const [first = [], ...others] = [...Map.groupBy(known, ({ digest }) => digest?.value).values()].toSorted(bySteadiness)
  return { groups: [[...first, ...unknown], ...others], known }
}

const bySteadiness = (a: readonly Replica[], b: readonly Replica[]): number =>
  steady(b) - steady(a) || b.length - a.length || (firstPod(a) < firstPod(b) ? -1 : 1)
const steady = (group: readonly Replica[]): number => group.filter(({ wasDeviating }) => !wasDeviating).length
const mostIn = (group: readonly Replica[]): number => Math.max(...group.map(({ pathCount }) => substanceOf(pathCount)))
const itemsIn = (group: readonly Replica[]): number => Math.max(...group.map(({ pathCount }) => itemsOf(pathCount)))
const firstPod = (group: readonly Replica[]): string => group.map(({ pod }) => pod).toSorted()[0] ?? ""
