import { explain } from "#core/errors.ts"
import { limitConcurrency } from "#core/limits/concurrency.ts"
import type { Logger } from "#core/log/logger.ts"
import { doneWithin } from "#core/retry/deadline.ts"
import type { Collector } from "../../collector.ts"
import type { CollectionTime } from "./collection-time.ts"
import { type DigestRules, NO_DIGESTS, planDigests, recordDigests } from "./digests.ts"
import { type Compared, compareReplicas, NO_DIFFERENCES } from "./drift.ts"
import { ReadFailure } from "./failure.ts"
import { digestFamilies, discoveryFamilies, driftFamilies, podFamilies } from "./families.ts"
import type { Counted } from "./paths.ts"
import type { Reader } from "./reader.ts"
import type { DigestKind, Outcome } from "./reading.ts"
import type { Target, Targets } from "./target.ts"

/** OPAs that are asked at once, but for those that have not answered for so many milliseconds. */
const AT_ONCE = 16
const SLOW = 250
/** Names of pods in one line of the log. */
const NAMED = 10

export interface OpaDataOptions {
  readonly clusterName: string
  readonly paths: readonly Counted[]
  readonly targets: Targets
  readonly reader: Reader
  /** undefined: replicas are compared by their counts alone. */
  readonly digest: DigestKind | undefined
  readonly rules: DigestRules
  readonly time: CollectionTime
  /** Seconds to wait for the first list of OPAs. */
  readonly patience: number
  readonly log: Logger
  readonly now: () => Date
}

/** Reads every OPA once and compares them. What cannot be read shows in its families; it never fails as a whole. */
export function collectOpaData(options: OpaDataOptions): Collector["collect"] {
  const { clusterName, paths, targets, reader, rules, time, log, now } = options
  let digests = NO_DIGESTS
  let differences = NO_DIFFERENCES
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
    const plan =
      options.digest === undefined
        ? { at, clock: undefined, requested: new Map<Target, number>() }
        : planDigests(rules, digests, differences, at, current)
    const pass = limitConcurrency(AT_ONCE)
    const outcomes = await Promise.all(
      current.map((target) =>
        pass(() => read(target, plan.requested.has(target) ? options.digest : undefined, signal, begin), SLOW),
      ),
    )
    signal.throwIfAborted()
    digests = recordDigests(rules, digests, plan, outcomes)
    const drift = compareReplicas(paths, differences, digests, at, outcomes)
    differences = drift.differences
    const problem = targets.problem()
    empty = logEmpty(paths, outcomes, empty, log)
    logDrift(drift.compared, log)
    time.observe((performance.now() - begin) / 1000)
    const families = [
      ...podFamilies(clusterName, paths, outcomes),
      ...(options.digest === undefined ? [] : digestFamilies(clusterName, outcomes, rules, digests)),
      ...driftFamilies(clusterName, drift.compared),
      ...discoveryFamilies(clusterName, current.length, problem),
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

function logDrift(compared: readonly Compared[], log: Logger): void {
  for (const { namespace, service, path, comparison, changed } of compared) {
    if (!changed) continue
    const about = { namespace, service, path }
    if (comparison.inSync) log.info(about, "replicas agree again")
    else log.warn({ ...about, deviating: listed(comparison.deviating) }, "replicas differ")
  }
}

function listed(pods: ReadonlySet<string>): string {
  const names = [...pods].toSorted()
  const rest = names.length - NAMED
  return rest > 0 ? `${names.slice(0, NAMED).join(" ")} and ${rest} others` : names.join(" ")
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
