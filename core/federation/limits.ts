import type { Path } from "#core/config/config-file.ts"
import type { Faults } from "#core/config/faults.ts"
import type { Fault } from "#core/errors.ts"
import { beyondBounds, BOUND_KEYS, boundsOf, type RequestBounds } from "#core/promql/bounds.ts"
import type { ClientEntry, GeneralLimits } from "./schema.ts"
import type { ClientLimits } from "./client.ts"

interface LimitsContext {
  readonly where: (path: Path) => string
  readonly faults: Faults
  readonly warnings: Fault[]
}

/** The limits of each entry: its own, else the general ones, else the defaults. Adds a fault where one can never be reached. */
export function readLimits(general: GeneralLimits, { where, faults, warnings }: LimitsContext) {
  const bytes = general.request_bytes
  const read = (limits: ClientEntry["limits"], path: Path, own: ClientEntry["limits"]): RequestBounds => {
    const { selectors, selector_characters: characters } = limits
    const { bounds, unreachable } = boundsOf({ bytes, selectors, characters })
    for (const { key, problem } of unreachable) {
      const name = BOUND_KEYS[key]
      // a general one is reported once, where it stands
      if (own[name] !== undefined) faults.add(where([...path, "limits", name]), problem)
    }
    return bounds
  }
  const { bytes: requestBytes } = read(general, [], general)
  return {
    requestBytes,
    of(entry: ClientEntry, path: Path): ClientLimits {
      const limits = { ...general, ...entry.limits }
      const bounds = read(limits, path, entry.limits)
      // a request for less gets matchers added
      for (const problem of entry.enforce ? [] : beyondBounds(entry.match, bounds)) {
        const todo = "raise it, or let it request them in several jobs"
        warnings.push({
          where: where(path),
          message: `a request for all that ${entry.name} may read ${problem}; ${todo}`,
        })
      }
      return {
        concurrent: limits.concurrent ?? 64,
        requestsPerSecond: limits.requests_per_second ?? 20,
        responseBytes: limits.response_bytes ?? 256 * 2 ** 20,
        series: limits.series ?? 1_000_000,
        upstreamTimeout: limits.upstream_timeout ?? 30,
        selectors: bounds.selectors,
        selectorCharacters: bounds.characters,
      }
    },
  }
}
