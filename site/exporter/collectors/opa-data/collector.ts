import { explain } from "#core/errors.ts"
import type { Logger } from "#core/log/logger.ts"
import { doneWithin } from "#core/retry/deadline.ts"
import type { Collector } from "../../collector.ts"
import type { CollectionTime } from "./collection-time.ts"
import type { Digests } from "./digests.ts"
import { createDrift } from "./drift.ts"
import { ReadFailure } from "./failure.ts"
import { driftFamilies, gauge, podFamilies } from "./families.ts"
import { limitConcurrency } from "#core/limits/concurrency.ts"
import type { Counted } from "./paths.ts"
import type { Reader } from "./reader.ts"
import type { DigestKind, Outcome } from "./reading.ts"
import type { Target, Targets } from "./target.ts"

/** OPAs that are asked at once, but for those that have not answered for so many milliseconds. */
const AT_ONCE = 16
const SLOW = 250

export interface OpaDataOptions {
  readonly clusterName: string
  readonly paths: readonly Counted[]
  readonly targets: Targets
  readonly reader: Reader
  /** undefined: replicas are compared by their counts alone. */
  readonly digest: DigestKind | undefined
  readonly digests: Digests
  readonly time: CollectionTime
  /** Seconds to wait for the first list of OPAs. */
  readonly patience: number
  readonly log: Logger
  readonly now: () => Date
}

/** Reads every OPA once and compares them. What cannot be read shows in its families; it never fails as a whole. */
export function collectOpaData(options: OpaDataOptions): Collector["collect"] {
  const { clusterName, paths, targets, reader, digests, time, log, now } = options
  const drift = createDrift(paths, digests, log)
  let empty: ReadonlySet<string> = new Set()

  const read = async (
    target: Target,
    digest: DigestKind | undefined,
    signal: AbortSignal,
    begun: number,
  ): Promise<Outcome> => {
    try {
      return { target, result: await reader.read(target, digest, signal, begun) }
    } catch (error) {
      if (!(error instanceof ReadFailure)) throw error
      return { target, result: error }
    }
  }

  let waited = false
  const first = async (signal: AbortSignal): Promise<void> => {
    if (waited) return
    await doneWithin(options.patience, targets.first, signal)
    waited = true
  }

  return async (signal) => {
    await first(signal)
    const begin = performance.now()
    const at = now().getTime()
    const current = targets.current()
    reader.keep(current)
    const asked = options.digest === undefined ? new Set<Target>() : digests.begin(at, current)
    const pass = limitConcurrency(AT_ONCE)
    const outcomes = await Promise.all(
      current.map((target) =>
        pass(() => read(target, asked.has(target) ? options.digest : undefined, signal, begin), SLOW),
      ),
    )
    signal.throwIfAborted()
    digests.taken(at, asked, outcomes)
    const problem = targets.problem()
    empty = logEmpty(paths, outcomes, empty, log)
    const compared = drift.compare(at, outcomes)
    time.observe((performance.now() - begin) / 1000)
    const families = [
      ...podFamilies(clusterName, paths, outcomes, options.digest === undefined ? undefined : digests),
      ...driftFamilies(clusterName, compared),
      ...statusFamilies(clusterName, current, problem),
      ...time.families(),
    ]
    return { families, missing: missingOf(problem, outcomes) }
  }
}

function missingOf(problem: string | undefined, outcomes: readonly Outcome[]): ReadonlyMap<string, string> {
  return new Map([
    ...(problem === undefined ? [] : [["list of OPAs", problem] as const]),
    ...outcomes.flatMap(({ target: { service, pod }, result }) =>
      "places" in result ? [] : [[service === "" ? pod : `${service}/${pod}`, explain(result)] as const],
    ),
  ])
}

/** A path that is nowhere is more likely written wrong than not loaded. */
function logEmpty(
  paths: readonly Counted[],
  outcomes: readonly Outcome[],
  before: ReadonlySet<string>,
  log: Logger,
): ReadonlySet<string> {
  const readings = outcomes.flatMap(({ result }) => ("places" in result ? [result] : []))
  if (readings.length === 0) return before
  const nowhere = paths.filter((_, index) => readings.every(({ places }) => places[index]?.kind === "undefined"))
  for (const { name } of nowhere)
    if (!before.has(name)) log.warn({ path: name }, "no OPA has anything at this path: is it right?")
  return new Set(nowhere.map(({ name }) => name))
}

function statusFamilies(clusterName: string, targets: readonly Target[], problem: string | undefined) {
  const labels = { cluster_name: clusterName }
  return [
    gauge("opa_data_exporter_pods", "How many pods are known.", [{ labels, value: targets.length }]),
    gauge(
      "opa_data_exporter_discovery_up",
      "1 if the list of pods is up to date, 0 if it may be outdated or could not be had.",
      [{ labels, value: problem === undefined ? 1 : 0 }],
    ),
  ]
}
