import type { Closable } from "#core/closable.ts"
import { explain } from "#core/errors.ts"
import { encodePieces, type Family } from "#core/metrics/exposition.ts"
import type { Logger } from "#core/log/logger.ts"
import { doneWithin } from "#core/retry/deadline.ts"
import { type Body, bodyOf } from "./body.ts"
import { type Collector, SomeFailed } from "./collector.ts"

export interface RunnerOptions {
  /** Seconds from the start of one run to the start of the next. Without it every read is a run. */
  readonly every?: number
  /** Seconds for which the last complete result is served after later runs failed, beside twice the time that it took. */
  readonly maxAge: number
  /** Seconds that a read waits for a run: the first one, or its own where every read is one. */
  readonly patience: number
  readonly log: Logger
  readonly now: () => Date
}

export interface Exposed {
  /** The collector's families; undefined when there are none that are young enough. */
  readonly body: Body | undefined
  /** How the collector fares, as of now. */
  readonly status: readonly Family[]
}

export interface Runner extends Closable {
  read(): Promise<Exposed>
  /** Runs the collector now, or joins the run under way. Failures show in the status; it never throws. */
  run(): Promise<void>
  /** Why there is nothing to serve; undefined when there is. */
  notReady(): string | undefined
}

/** Runs a collector, at once and then in intervals, or for every read, never twice at the same time. */
export function startRunner(collector: Collector, options: RunnerOptions): Runner {
  const { every, maxAge, patience, log, now } = options
  const ending = new AbortController()
  /** `at` in milliseconds of Unix time. */
  let last: { readonly body: Body; readonly at: number; readonly until: number } | undefined
  let outcome: { readonly failure: string | undefined; readonly seconds: number } | undefined
  let underWay: Promise<void> | undefined

  const execute = async (): Promise<void> => {
    const begin = performance.now()
    const at = now().getTime()
    let failure: string | undefined
    try {
      const { families, missing } = await collectSome(collector, ending.signal)
      const body = await bodyOf(encodePieces(families))
      // the next run may take as long as this one did
      const until = at + maxAge * 1000 + 2 * (now().getTime() - at)
      last = last !== undefined && missing?.anyRead === false ? { ...last, body } : { body, at, until }
      if (missing !== undefined) throw missing
    } catch (error) {
      failure = explain(error)
      if (!ending.signal.aborted) log.error({ collector: collector.name, reason: failure }, "update failed")
    }
    outcome = { failure, seconds: (performance.now() - begin) / 1000 }
    log.debug({ collector: collector.name, seconds: outcome.seconds }, "update ended")
  }
  const run = (): Promise<void> => {
    underWay ??= execute().finally(() => (underWay = undefined))
    return underWay
  }
  const age = (): number | undefined => (last === undefined ? undefined : (now().getTime() - last.at) / 1000)
  const current = (): Body | undefined => (last !== undefined && now().getTime() <= last.until ? last.body : undefined)

  const first = every === undefined ? undefined : run()
  const timer = every === undefined ? undefined : setInterval(() => void run(), every * 1000)

  return {
    run,
    async read() {
      if (every === undefined) await doneWithin(patience, run())
      else if (outcome === undefined && first !== undefined) await doneWithin(patience, first)
      return { body: current(), status: statusFamilies(collector.name, outcome, last && last.at / 1000, age()) }
    },
    notReady() {
      if (every === undefined || current() !== undefined) return undefined
      return outcome?.failure === undefined ? "The first update is still under way." : `No data: ${outcome.failure}`
    },
    async close() {
      clearInterval(timer)
      ending.abort()
      await underWay
    },
  }
}

/** What was read, and why that is not all. */
async function collectSome(
  collector: Collector,
  signal: AbortSignal,
): Promise<{ readonly families: Iterable<Family>; readonly missing?: SomeFailed }> {
  try {
    return { families: await collector.collect(signal) }
  } catch (error) {
    if (error instanceof SomeFailed) return { families: error.families, missing: error }
    throw error
  }
}

function statusFamilies(
  collector: string,
  outcome: { readonly failure: string | undefined; readonly seconds: number } | undefined,
  lastSuccess: number | undefined,
  age: number | undefined,
): readonly Family[] {
  const gauge = (name: string, help: string, value: number | undefined): Family => ({
    name: `fedstack_exporter_collector_${name}`,
    help,
    type: "gauge",
    samples: value === undefined ? [] : [{ labels: { collector }, value }],
  })
  const up = outcome !== undefined && outcome.failure === undefined ? 1 : 0
  return [
    gauge("up", "1 if the collector's last run read everything, 0 if it failed or none has ended yet.", up),
    gauge("duration_seconds", "How long the collector's last run took.", outcome?.seconds),
    gauge("last_success_timestamp_seconds", "When the run began whose result is served, in Unix time.", lastSuccess),
    gauge("age_seconds", "Time since the run began whose result is served.", age),
  ]
}
