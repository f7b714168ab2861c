import { setTimeout as delay } from "node:timers/promises"
import { explain } from "#core/errors.ts"
import type { Logger } from "#core/log.ts"
import type { Collector } from "../../collector.ts"
import type { CollectionTime } from "./collection-time.ts"
import type { Digests } from "./digests.ts"
import { createDrift } from "./drift.ts"
import { ReadFailure } from "./failure.ts"
import { driftFamilies, gauge, type Outcome, podFamilies } from "./families.ts"
import { gate } from "./parallel.ts"
import type { Counted } from "./paths.ts"
import type { Reader } from "./reader.ts"
import type { DigestKind, Reading } from "./reading.ts"
import { type Target, targetKey, type Targets } from "./target.ts"

/** OPAs that are asked at once, but for those that have not answered for so many milliseconds. */
const AT_ONCE = 64
const SLOW = 1000

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

export interface OpaDataCollector extends Collector {
  /** What could not be read in the last collection, in sentences. */
  problems(): readonly string[]
}

/** Reads every OPA once and compares them. What can't be read shows in its families; it never fails as a whole. */
export function opaData(options: OpaDataOptions): OpaDataCollector {
  const { clusterName, paths, targets, reader, digests, time, log, now } = options
  const drift = createDrift(paths, digests, log)
  let down: ReadonlyMap<string, string> = new Map()
  let problems: readonly string[] = []
  /** Of the list of OPAs, as of the last collection. */
  let trouble: string | undefined

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

  const tell = (outcomes: readonly Outcome[]): void => {
    const failures = new Map<string, string>()
    const problem = targets.problem()
    if (problem !== undefined && problem !== trouble)
      log.warn({ reason: problem }, "the list of OPAs is not whole, or may be outdated")
    if (problem === undefined && trouble !== undefined) log.info("the list of OPAs is up to date again")
    trouble = problem
    problems = [problem ?? []].flat()
    for (const { target, result } of outcomes) {
      const key = targetKey(target)
      const about = { pod: target.pod, namespace: target.namespace, service: target.service }
      if ("places" in result) {
        if (down.has(key)) log.info(about, "this OPA can be read again")
        continue
      }
      failures.set(key, result.reason)
      problems = [...problems, `${target.pod}: ${explain(result)}`]
      if (down.get(key) !== result.reason) log.warn({ ...about, reason: explain(result) }, "can't read this OPA")
    }
    down = failures
  }

  let empty: ReadonlySet<string> = new Set()
  /** A path that is nowhere is more likely written wrong than not loaded. */
  const tellEmpty = (readings: readonly (readonly [Target, Reading])[]): void => {
    if (readings.length === 0) return
    const nowhere = paths.flatMap(({ name }, index) =>
      readings.every(([, { places }]) => places[index]?.kind === "undefined") ? [name] : [],
    )
    for (const path of nowhere)
      if (!empty.has(path)) log.warn({ path }, "no OPA has anything at this path: is it right?")
    empty = new Set(nowhere)
  }

  let waited = false
  const first = async (signal: AbortSignal): Promise<void> => {
    if (waited) return
    await Promise.race([targets.first, delay(options.patience * 1000, undefined, { signal, ref: false })])
    waited = true
  }

  return {
    name: "opa-data",
    problems: () => problems,
    async collect(signal) {
      await first(signal)
      const begin = performance.now()
      const at = now().getTime()
      const current = targets.current()
      reader.keep(current)
      const withDigests = options.digest !== undefined && digests.due(at)
      const digest = withDigests ? options.digest : undefined
      const pass = gate(AT_ONCE)
      const outcomes = await Promise.all(current.map((target) => pass(() => read(target, digest, signal, begin), SLOW)))
      signal.throwIfAborted()
      const readings = outcomes.flatMap(({ target, result }) => ("places" in result ? [[target, result] as const] : []))
      if (withDigests) digests.taken(at, readings)
      tell(outcomes)
      tellEmpty(readings)
      const unread = outcomes.flatMap(({ target, result }) => ("places" in result ? [] : [target]))
      const compared = drift.compare(at, readings, unread)
      time.observe((performance.now() - begin) / 1000)
      return [
        ...podFamilies(clusterName, paths, outcomes, digests),
        ...driftFamilies(clusterName, compared),
        ...statusFamilies(clusterName, current, targets.problem(), options.digest === undefined ? undefined : digests),
        ...time.families(),
      ]
    },
  }
}

function statusFamilies(
  clusterName: string,
  targets: readonly Target[],
  problem: string | undefined,
  digests: Digests | undefined,
) {
  const labels = { cluster_name: clusterName }
  const at = digests?.takenAt()
  return [
    gauge("opa_data_exporter_pods", "How many pods are known.", [{ labels, value: targets.length }]),
    gauge(
      "opa_data_exporter_discovery_up",
      "1 if the list of pods is up to date, 0 if it may be outdated or could not be had.",
      [{ labels, value: problem === undefined ? 1 : 0 }],
    ),
    gauge(
      "opa_data_digest_interval_seconds",
      "Time between two collections with digests: as configured, or longer to stay within the budget.",
      digests === undefined ? [] : [{ labels, value: digests.interval() }],
    ),
    gauge(
      "opa_data_digest_timestamp_seconds",
      "When digests were taken last, in Unix time.",
      at === undefined ? [] : [{ labels, value: at / 1000 }],
    ),
  ]
}
