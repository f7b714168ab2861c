import type { Logger } from "#core/log.ts"
import { compare } from "./compare.ts"
import type { Digests } from "./digests.ts"
import type { Compared } from "./families.ts"
import type { Counted } from "./paths.ts"
import type { Reading } from "./reading.ts"
import type { Target } from "./target.ts"

export interface Drift {
  /**
   * `at` in milliseconds of Unix time. While a pod that held something else can't be read, its path stays out of sync: that
   * it agrees now is not known.
   */
  compare(at: number, readings: readonly (readonly [Target, Reading])[], unread: readonly Target[]): readonly Compared[]
}

interface Difference {
  readonly since: number
  readonly odd: ReadonlySet<string>
}

/** Compares the replicas of each service at each path, and remembers since when they differ. */
export function createDrift(paths: readonly Counted[], digests: Digests, log: Logger): Drift {
  /** By service and path. */
  let known: ReadonlyMap<string, ReadonlyMap<string, Difference>> = new Map()

  return {
    compare(at, readings, unread) {
      const services = Map.groupBy(readings, ([target]) => serviceKey(target))
      const hidden = Map.groupBy(unread, serviceKey)
      const next = new Map<string, ReadonlyMap<string, Difference>>()
      // nothing of a service can be read: what was known stays
      for (const [key, differences] of known) if (hidden.has(key)) next.set(key, differences)
      const compared = [...services].flatMap(([key, replicas]) => {
        const [before, now] = [known.get(key), new Map<string, Difference>()]
        next.set(key, now)
        return paths.map((path, index): Compared => {
          const comparison = compare(
            replicas.map(([target, { places }]) => {
              const place = places[index] ?? { kind: "undefined" }
              return { pod: target.pod, place, digest: digests.of(target, index, place) }
            }),
          )
          const { namespace, service } = replicas[0]?.[0] ?? { namespace: "", service: "" }
          const about = { namespace, service, path: path.name }
          const last = before?.get(path.name)
          const stays = (hidden.get(key) ?? []).filter(({ pod }) => last?.odd.has(pod)).map(({ pod }) => pod)
          const odd = new Set([...comparison.odd, ...stays])
          const inSync = comparison.inSync && stays.length === 0
          if (!inSync) now.set(path.name, { since: last?.since ?? at, odd })
          if (!inSync && last === undefined) log.warn({ ...about, odd: [...odd] }, "replicas differ")
          if (inSync && last !== undefined) log.info(about, "replicas agree again")
          const targets = replicas.map(([target]) => target)
          return { ...about, targets, comparison: { ...comparison, inSync }, since: now.get(path.name)?.since }
        })
      })
      known = next
      digests.differ(compared.some(({ comparison }) => comparison.digestsDiffer))
      return compared
    },
  }
}

const serviceKey = ({ namespace, service }: Target): string => JSON.stringify([namespace, service])
