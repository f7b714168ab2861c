import type { Logger } from "#core/log/logger.ts"
import { compare } from "./compare.ts"
import type { Digests } from "./digests.ts"
import type { Compared } from "./families.ts"
import type { Counted } from "./paths.ts"
import type { Outcome } from "./reading.ts"
import { serviceKey } from "./target.ts"

export interface Drift {
  /**
   * `at` in milliseconds of Unix time. A path that is out of sync stays so while it is not known whether its pods agree now,
   * because some can't be read or their digests are still to come.
   */
  compare(at: number, outcomes: readonly Outcome[]): readonly Compared[]
}

interface Difference {
  readonly since: number
  readonly odd: ReadonlySet<string>
  /** Whether digests tell it: then it is over when digests say so. */
  readonly byDigest: boolean
}

/** Names of pods in one line of the log. */
const NAMED = 10

/** Compares the replicas of each service at each path, and remembers since when they differ. */
export function createDrift(paths: readonly Counted[], digests: Digests, log: Logger): Drift {
  /** By service and path. */
  let known: ReadonlyMap<string, ReadonlyMap<string, Difference>> = new Map()

  return {
    compare(at, outcomes) {
      const next = new Map<string, ReadonlyMap<string, Difference>>()
      const anew = new Set<string>()
      const services = Map.groupBy(outcomes, ({ target }) => serviceKey(target))
      const compared = [...services].flatMap(([key, members]) => {
        const [before, now] = [known.get(key), new Map<string, Difference>()]
        const replicas = members.flatMap(({ target, result }) => ("places" in result ? [{ target, ...result }] : []))
        const [first] = replicas
        // where nothing of a service can be read, what was known stays
        next.set(key, first === undefined ? (before ?? now) : now)
        if (first === undefined) return []
        const { namespace, service } = first.target
        const targets = replicas.map(({ target }) => target)
        const pods = members.map(({ target }) => target.pod)
        const away = members.flatMap(({ target, result }) => ("places" in result ? [] : [target.pod]))
        return paths.map((path, index): Compared => {
          const last = before?.get(path.name)
          const held = replicas.map(({ target, places }) => {
            const place = places[index] ?? { kind: "undefined" }
            const { pod } = target
            return { target, pod, place, digest: digests.of(target, index, place), wasOdd: last?.odd.has(pod) ?? false }
          })
          const comparison = compare(held)
          const about = { namespace, service, path: path.name }
          const uncompared = last?.byDigest ? held.filter(({ pod }) => !comparison.byDigest.has(pod)) : []
          const waiting = uncompared.filter(({ target, place }) => digests.expected(target, index, place))
          const unknown = new Set([...away, ...waiting.map(({ pod }) => pod)])
          const stays = last === undefined ? [] : staysOdd(last.odd, pods, unknown)
          const odd = new Set([...comparison.odd, ...stays])
          const inSync = odd.size === 0
          const byDigest = comparison.digestsDiffer || (stays.length > 0 && last?.byDigest === true)
          if (byDigest && last?.byDigest !== true) anew.add(key)
          if (!inSync) now.set(path.name, { since: last?.since ?? at, odd, byDigest })
          if (!inSync && last === undefined) log.warn({ ...about, odd: listed(odd) }, "replicas differ")
          if (inSync && last !== undefined) log.info(about, "replicas agree again")
          return { ...about, targets, comparison: { ...comparison, inSync, odd }, since: now.get(path.name)?.since }
        })
      })
      known = next
      const differ = [...next.values()].some((service) => [...service.values()].some(({ byDigest }) => byDigest))
      digests.differ(differ, anew)
      return compared
    },
  }
}

/** Pods that were odd and may still be: what they hold now is not known, or what all the others do is not. */
function staysOdd(odd: ReadonlySet<string>, pods: readonly string[], unknown: ReadonlySet<string>): readonly string[] {
  const still = pods.filter((pod) => odd.has(pod))
  const others = pods.filter((pod) => !odd.has(pod))
  const incomparable = others.length > 0 && others.every((pod) => unknown.has(pod))
  return incomparable ? still : still.filter((pod) => unknown.has(pod))
}

function listed(pods: ReadonlySet<string>): string {
  const names = [...pods].toSorted()
  const rest = names.length - NAMED
  return rest > 0 ? `${names.slice(0, NAMED).join(" ")} and ${rest} others` : names.join(" ")
}
