import type { Logger } from "#core/log.ts"
import { compare } from "./compare.ts"
import type { Digests } from "./digests.ts"
import type { Compared } from "./families.ts"
import type { Counted } from "./paths.ts"
import type { Reading } from "./reading.ts"
import type { Target } from "./target.ts"

export interface Drift {
  /** `at` in milliseconds of Unix time. */
  compare(at: number, readings: readonly (readonly [Target, Reading])[]): readonly Compared[]
}

/** Compares the replicas of each service at each path, and remembers since when they differ. */
export function createDrift(paths: readonly Counted[], digests: Digests, log: Logger): Drift {
  let differSince: ReadonlyMap<string, number> = new Map()

  return {
    compare(at, readings) {
      const services = Map.groupBy(readings, ([{ namespace, service }]) => JSON.stringify([namespace, service]))
      const next = new Map<string, number>()
      const compared = [...services].flatMap(([key, replicas]) =>
        paths.map((path, index): Compared => {
          const comparison = compare(
            replicas.map(([target, { places }]) => {
              const place = places[index] ?? { kind: "undefined" }
              return { pod: target.pod, place, digest: digests.of(target, index, place) }
            }),
          )
          const { namespace, service } = replicas[0]?.[0] ?? { namespace: "", service: "" }
          const about = { namespace, service, path: path.name }
          const place = `${key} ${path.name}`
          const since = comparison.inSync ? undefined : (differSince.get(place) ?? at)
          if (since !== undefined) next.set(place, since)
          if (since !== undefined && !differSince.has(place)) {
            log.warn({ ...about, odd: [...comparison.odd] }, "replicas differ")
          }
          if (since === undefined && differSince.has(place)) log.info(about, "replicas agree again")
          return { ...about, targets: replicas.map(([target]) => target), comparison, since }
        }),
      )
      differSince = next
      digests.differ(compared.some(({ comparison }) => comparison.digestsDiffer))
      return compared
    },
  }
}
