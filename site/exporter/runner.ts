import { explain } from "#core/errors.ts"
import { encodePieces, type Family } from "#core/metrics/exposition.ts"
import { logChangesOfEach } from "#core/log/changes.ts"
import type { Logger } from "#core/log/logger.ts"
import { doneWithin } from "#core/retry/deadline.ts"
import { type Body, bodyOf } from "./body.ts"
import type { Collected, Collector } from "./collector.ts"

export interface RunnerOptions {
  readonly log: Logger
  readonly now: () => Date
}

/** Seconds: less than the 10 s that Prometheus gives a scrape. */
const PATIENCE = 9

export type Runner = ReturnType<typeof startRunner>

/** Of the last run. */
interface Outcome {
  readonly missing: ReadonlyMap<string, string>
  /** Whether there is something new to serve; where nothing is missing, that is everything. */
  readonly anyRead: boolean
  readonly seconds: number
}

/** Runs a collector, at once and then in its interval, or for every read, never twice at the same time. */
export function startRunner(name: string, collector: Collector, { log, now }: RunnerOptions) {
  const { every, patience = PATIENCE, maxAge = every === undefined ? 60 : 3 * every } = collector
  const ending = new AbortController()
  /** Served until then, in milliseconds of Unix time. */
  let last: { readonly body: Body; readonly until: number } | undefined
  let outcome: Outcome | undefined
  /** When the last run began that read everything, in milliseconds of Unix time. */
  let lastSuccess: number | undefined
  let underWay: Promise<void> | undefined

  const collect = async (): Promise<Omit<Outcome, "seconds">> => {
    const at = now().getTime()
    try {
      const collected = await collector.collect(ending.signal)
      const { families, outdated = false } = collected
      const [missing, anyRead] = [missingIn(name, collected), families !== undefined && !outdated]
      if (families === undefined) return { missing, anyRead }
      const body = "deflated" in families ? families : await bodyOf(encodePieces(families))
      // the next run may take as long as this one did
      const until = at + maxAge * 1000 + 2 * (now().getTime() - at)
      last = last !== undefined && outdated ? { ...last, body } : { body, until }
      if (anyRead && missing.size === 0) lastSuccess = at
      return { missing, anyRead }
    } catch (error) {
      return { missing: new Map([[name, explain(error)]]), anyRead: false }
    }
  }
  const report = logChangesOfEach((what: string, reason: string | undefined) => {
    if (reason === undefined) log.info({ what }, "no longer missing")
    else log[outcome?.anyRead === true ? "warn" : "error"]({ what, reason }, "cannot be read")
  })
  const execute = async (): Promise<void> => {
    const begin = performance.now()
    const before = [...(outcome?.missing.keys() ?? [])].map((what) => [what, undefined] as const)
    outcome = { ...(await collect()), seconds: (performance.now() - begin) / 1000 }
    if (!ending.signal.aborted) report(new Map<string, string | undefined>([...before, ...outcome.missing]))
    log.debug({ seconds: outcome.seconds }, "collection ended")
  }
  const run = (): Promise<void> => {
    underWay ??= execute().finally(() => (underWay = undefined))
    return underWay
  }
  const current = (): Body | undefined => (last !== undefined && now().getTime() <= last.until ? last.body : undefined)

  if (every !== undefined) void run()
  const timer = every === undefined ? undefined : setInterval(() => void run(), every * 1000)

  return {
    /** Runs the collector now, or joins the run under way. Failures show in the status; it never throws. */
    run,
    /**
     * The collector's families as body, undefined when there are none that are young enough; as status whether runs
     * succeed, how much they lack, how long they take and when the last one succeeded.
     */
    async read() {
      if (every === undefined || outcome === undefined) await doneWithin(patience, run())
      const body = current()
      return { body, status: statusFamilies(name, outcome, body !== undefined, lastSuccess) }
    },
    /** Why there is nothing to serve; undefined when there is. */
    notReady(): string | undefined {
      if (every === undefined || current() !== undefined) return undefined
      return outcome === undefined
        ? "The first collection is still under way."
        : `No data: ${reasonsOf(outcome.missing)}`
    },
    async close(): Promise<void> {
      clearInterval(timer)
      ending.abort()
      await underWay
    },
  }
}

/** What could not be read, and why: the collector as a whole, where it read nothing and does not say what is missing. */
export function missingIn(collector: string, { families, missing, outdated }: Collected): ReadonlyMap<string, string> {
  if (missing !== undefined && missing.size > 0) return missing
  const readNothing = families === undefined || outdated === true
  return new Map(readNothing ? [[collector, "nothing was read"]] : [])
}

/** What could not be read and why, as a sentence. */
export function reasonsOf(missing: ReadonlyMap<string, string>): string {
  return [...missing].map(([what, reason]) => `${what}: ${reason}`).join("; ")
}

function statusFamilies(
  collector: string,
  outcome: Outcome | undefined,
  isServed: boolean,
  lastSuccess: number | undefined,
): Family[] {
  const gauge = (name: string, help: string, value: number | undefined): Family => ({
    name: `fedstack_exporter_collector_${name}`,
    help,
    type: "gauge",
    samples: value === undefined ? [] : [{ labels: { collector }, value }],
  })
  return [
    gauge(
      "up",
      "1 if the collector's last run read everything, 0 if something was missing, no run has ended yet, or its result is too old.",
      outcome?.missing.size === 0 && isServed ? 1 : 0,
    ),
    gauge(
      "missing",
      "How many things the collector's last run could not read; the log has each of them, with the reason.",
      outcome?.missing.size,
    ),
    gauge("duration_seconds", "How long the collector's last run took.", outcome?.seconds),
    gauge(
      "last_success_timestamp_seconds",
      "When the collector's last run began that read everything, in Unix time.",
      lastSuccess && lastSuccess / 1000,
    ),
  ]
}
