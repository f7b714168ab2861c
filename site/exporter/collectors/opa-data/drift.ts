import { type Comparison, compare } from "./compare.ts"
import { type DigestDifferences, digestOf, type DigestState, expectsDigest } from "./digests.ts"
import type { Counted } from "./paths.ts"
import { type NotCompared, whyNotCompared } from "./not-compared.ts"
import { readIn, type ReadOutcome, unreadIn } from "./reading.ts"
import { instanceKey, type OpaTarget, serviceKey } from "./target.ts"

interface Difference {
  /** In milliseconds of Unix time. */
  readonly since: number
  readonly deviating: ReadonlySet<string>
  /** Whether digests show it: then it is over when digests do. */
  readonly byDigest: boolean
}

/** How replicas differ now. */
export interface Differences extends DigestDifferences {
  /** By service and path. */
  readonly paths: ReadonlyMap<string, ReadonlyMap<string, Difference>>
}

export const NO_DIFFERENCES: Differences = { paths: new Map(), any: false, anew: new Set() }

/** Replicas of one service, compared at one path. */
export interface Compared {
  readonly namespace: string
  readonly service: string
  readonly path: string
  readonly targets: readonly OpaTarget[]
  readonly comparison: Comparison
  /** Undefined where no difference is seen, but not all could be compared. */
  readonly inSync: boolean | undefined
  /** How many pods were not compared by digest, though they should be, by the reason. */
  readonly notCompared: ReadonlyMap<NotCompared, number>
  /** Milliseconds of Unix time; undefined while no difference is seen. */
  readonly since: number | undefined
}

/**
 * Compares the replicas of each service at each path. A path that is out of sync stays so while it is not known whether its
 * pods agree now, because some cannot be read or their digests are still to come. Replicas are in sync only where all were
 * compared, by digest too; `digests` undefined: by their counts alone, as the user wants it.
 */
export function compareReplicas(
  paths: readonly Counted[],
  before: Differences,
  digests: DigestState | undefined,
  at: number,
  outcomes: readonly ReadOutcome[],
): { readonly compared: readonly Compared[]; readonly differences: Differences } {
  const differing = new Map<string, ReadonlyMap<string, Difference>>()
  const anew = new Set<string>()
  const compared: Compared[] = []
  for (const [key, members] of Map.groupBy(outcomes, ({ target }) => serviceKey(target))) {
    const known = before.paths.get(key)
    const read = readIn(members)
    const [first] = read
    if (first === undefined) {
      if (known !== undefined) differing.set(key, known)
      continue
    }
    const now = new Map<string, Difference>()
    differing.set(key, now)
    const { namespace, service } = first.target
    const targets = read.map(({ target }) => target)
    const unread = unreadIn(members).map(({ target }) => target.pod)
    const all = members.map(({ target }) => target.pod)
    for (const [index, { name: path }] of paths.entries()) {
      const last = known?.get(path)
      const replicas = read.map(({ target, result }) => {
        const pathCount = result.pathCounts[index] ?? { kind: "undefined" }
        const pod = digests?.pods.get(instanceKey(target))
        const wasDeviating = last?.deviating.has(target.pod) ?? false
        const [digest, expected] = [digestOf(pod, index, pathCount), expectsDigest(pod, index, pathCount)]
        const why = digests === undefined ? undefined : whyNotCompared(pod, index, pathCount, result)
        return { pod: target.pod, pathCount, digest, expected, wasDeviating, why }
      })
      const comparison = compare(replicas)
      const waiting = replicas.filter(
        ({ pod, expected }) => last?.byDigest === true && expected && !comparison.byDigest.has(pod),
      )
      const unknown = new Set([...unread, ...waiting.map(({ pod }) => pod)])
      const still = last === undefined ? [] : stillDeviating(last.deviating, all, unknown)
      const deviating = new Set([...comparison.deviating, ...still])
      // one alone has nothing to be compared with
      const notCompared = countReasons(replicas.length === 1 ? [] : replicas.flatMap(({ why }) => why ?? []))
      const inSync = deviating.size > 0 ? false : notCompared.size > 0 ? undefined : true
      const since = inSync === false ? (last?.since ?? at) : undefined
      const byDigest = comparison.digestsDiffer || (still.length > 0 && last?.byDigest === true)
      if (since !== undefined) now.set(path, { since, deviating, byDigest })
      if (byDigest && last?.byDigest !== true) anew.add(key)
      const row = { namespace, service, path, targets, since, inSync, notCompared }
      compared.push({ ...row, comparison: { ...comparison, deviating } })
    }
  }
  const any = [...differing.values()].some((service) => [...service.values()].some(({ byDigest }) => byDigest))
  return { compared, differences: { paths: differing, any, anew } }
}

const countReasons = (reasons: readonly NotCompared[]): ReadonlyMap<NotCompared, number> =>
  new Map([...Map.groupBy(reasons, (reason) => reason)].map(([reason, { length }]) => [reason, length]))

/** Pods that deviated and may still: what they hold now is not known, or what all the others do is not. */
function stillDeviating(
  deviating: ReadonlySet<string>,
  pods: readonly string[],
  unknown: ReadonlySet<string>,
): readonly string[] {
  const still = pods.filter((pod) => deviating.has(pod))
  const others = pods.filter((pod) => !deviating.has(pod))
  const incomparable = others.length > 0 && others.every((pod) => unknown.has(pod))
  return incomparable ? still : still.filter((pod) => unknown.has(pod))
}
