import { explain } from "#core/errors.ts"
import { limitConcurrency } from "#core/limits/concurrency.ts"
import { logChangesOfEach } from "#core/log/changes.ts"
import type { Logger } from "#core/log/logger.ts"
import { doneWithin } from "#core/retry/deadline.ts"
import type { Collector } from "../../collector.ts"
import { collectionTime } from "./collection-time.ts"
import { type DigestRules, NO_DIGESTS, planDigests, recordDigests } from "./digests.ts"
import { compareReplicas, NO_DIFFERENCES } from "./drift.ts"
import { logDrift } from "./drift-log.ts"
import { ReadFailure } from "./failure.ts"
import { discoveryFamilies, driftFamilies, podFamilies } from "./families.ts"
import type { Counted } from "./paths.ts"
import type { OpaReader } from "./reader.ts"
import { type DigestKind, isEmpty, readIn, type ReadOutcome, unreadIn } from "./reading.ts"
import { logWholeReads } from "./whole-reads.ts"
import { type OpaTargets, type Service, serviceKey } from "./target.ts"

/** OPAs that are read at the same time, beside those that have not responded for so many milliseconds. */
const AT_ONCE = 16
const SLOW = 250

export interface OpaDataOptions {
  readonly clusterName: string
  readonly paths: readonly Counted[]
  readonly targets: OpaTargets
  readonly reader: OpaReader
  /** undefined: replicas are compared by their counts alone. */
  readonly digest: DigestKind | undefined
  readonly rules: DigestRules
  /** Seconds to wait for the first list of OPAs. */
  readonly timeout: number
  readonly log: Logger
  readonly now: () => Date
}

/** Reads every OPA once and compares them. What cannot be read shows in its families; it never fails as a whole. */
export function collectOpaData(options: OpaDataOptions): Collector["collect"] {
  const { clusterName, paths, targets, reader, rules, log, now } = options
  const time = collectionTime(clusterName, now())
  let digests = NO_DIGESTS
  let differences = NO_DIFFERENCES
  const logNothing = logChangesOfEach((path: string, found: "undefined" | "empty" | undefined) => {
    // a path that is nowhere is more likely wrong than not loaded
    if (found === "undefined") log.warn({ path }, "no OPA has this path, nothing is counted there: check its spelling")
    if (found === "empty") log.warn({ path }, "all OPAs are empty at this path: there is nothing, or they have lost it")
  })
  const reportDrift = logDrift(log)
  const reportWholeReads = logWholeReads(log, (target) => reader.refusalOf(target))
  let isListed = false

  return async (signal) => {
    isListed ||= await doneWithin(options.timeout, targets.first, signal)
    const begin = performance.now()
    const at = now().getTime()
    const [current, withoutPods] = [targets.current(), targets.withoutPods()]
    reader.keep(current)
    const plan = planDigests(rules, digests, differences, at, options.digest === undefined ? [] : current)
    const pass = limitConcurrency(AT_ONCE)
    const outcomes = await Promise.all(
      current.map((target) =>
        pass(async (): Promise<ReadOutcome> => {
          const digest = plan.requested.has(target) ? options.digest : undefined
          return { target, result: await reader.read(target, digest, signal, begin).catch(asFailure) }
        }, SLOW),
      ),
    )
    signal.throwIfAborted()
    digests = recordDigests(rules, digests, plan, outcomes)
    const drift = compareReplicas(paths, differences, options.digest && digests, at, outcomes)
    differences = drift.differences
    const problem =
      targets.problem() ?? (isListed ? undefined : `there is no response from Kubernetes within ${options.timeout} s`)
    const readings = readIn(outcomes)
    const nothingAt = (index: number): "undefined" | "empty" | undefined => {
      const pathCounts = readings.flatMap(({ result }) => result.pathCounts[index] ?? [])
      const defined = pathCounts.filter(({ kind }) => kind !== "undefined")
      if (defined.length === 0) return "undefined"
      return defined.every(isEmpty) ? "empty" : undefined
    }
    if (readings.length > 0) logNothing(new Map(paths.map(({ name }, index) => [name, nothingAt(index)])))
    const services = new Set(current.map(serviceKey))
    reportWholeReads(outcomes)
    reportDrift(drift.compared, (service) => services.has(service))
    time.observe((performance.now() - begin) / 1000)
    const families = [
      ...podFamilies(clusterName, paths, outcomes, rules, options.digest && digests),
      ...driftFamilies(clusterName, drift.compared),
      ...discoveryFamilies(clusterName, current, withoutPods, problem),
      ...time.families(),
    ]
    return { families, missing: missingOf(problem, withoutPods, outcomes) }
  }
}

function asFailure(error: unknown): ReadFailure {
  if (error instanceof ReadFailure) return error
  throw error
}

function missingOf(
  problem: string | undefined,
  withoutPods: readonly Service[],
  outcomes: readonly ReadOutcome[],
): ReadonlyMap<string, string> {
  return new Map([
    ...(problem === undefined ? [] : [["list of OPAs", problem] as const]),
    ...withoutPods.map(({ namespace, service }) => {
      return [`service ${service}`, `it has no pods in the namespace ${namespace}: look at what it selects`] as const
    }),
    ...unreadIn(outcomes).map(
      ({ target: { service, pod }, result }) => [service === "" ? pod : `${service}/${pod}`, explain(result)] as const,
    ),
  ])
}
