import { explain } from "#core/errors.ts"
import { logChanges } from "#core/log/changes.ts"
import type { Logger } from "#core/log/logger.ts"
import type { Labels } from "#core/metrics/exposition.ts"
import { type Accounts, reconcile } from "./accounts/reconcile.ts"
import type { StateFile } from "./accounts/state-file.ts"
import type { CloudState } from "./accounts/state.ts"
import type { Cloud, CloudReading } from "./cloud.ts"
import type { LabelledAccounts } from "./families.ts"
import type { UsageMetrics } from "./metrics.ts"
import type { Pool } from "./simple-vm.ts"
import type { StartDate } from "./start-date.ts"
import type { Weights } from "./weights.ts"

/** A cloud whose usage is read whole or not at all. */
export interface UsageSource {
  /** Its name in the state file. */
  readonly key: string
  /** What distinguishes its series from those of other clouds; none where it is the only one. */
  readonly labels: Labels
  readonly cloud: Cloud
  /** The tags of pool servers, to be remembered with its state. */
  readonly tags?: () => CloudState["tags"]
}

export interface UpdateOptions {
  readonly start: StartDate
  readonly pool: Pool | undefined
  readonly months: number
  readonly state: StateFile
  /** Seconds for which the last accounts of a cloud stay while it cannot be read. */
  readonly maxAge: number
  readonly now: () => Date
  readonly log: Logger
  readonly metrics: UsageMetrics
}

/**
 * Updates all clouds at the same time, each whole or not at all; one that fails does not hold up the others. Returns those
 * that were read now or are young enough, whether any was read now, and what could not be read, and why: clouds, and what
 * the settings name and no cloud has.
 */
export function updateAll(sources: readonly UsageSource[], options: UpdateOptions) {
  const { maxAge, now, metrics } = options
  const last = new Map<UsageSource, { readonly accounts: Accounts; readonly until: number }>()
  const updates = sources.map((source) => ({ source, read: readAccounts(source, options) }))
  return async (weights: Weights, signal: AbortSignal) => {
    const missing = new Map<string, string>()
    const readings: CloudReading[] = []
    const updateOne = async ({ source, read }: (typeof updates)[number]): Promise<void> => {
      const at = now().getTime()
      try {
        const { accounts, reading } = await read(weights, signal)
        // the next update may take as long as this one did
        last.set(source, { accounts, until: at + maxAge * 1000 + 2 * (now().getTime() - at) })
        metrics.succeeded(source.labels, at / 1000, reading)
        readings.push(reading)
        for (const [what, reason] of reading.missing ?? []) missing.set([...name(source), what].join(" "), reason)
      } catch (error) {
        metrics.failed(source.labels, error)
        missing.set(name(source)[0] ?? "cloud", explain(error))
      }
    }
    await Promise.all(updates.map(updateOne))
    // one that could not be read may have it
    if (readings.length === sources.length)
      for (const [what, reason] of absentEverywhere(readings)) missing.set(what, reason)
    const clouds = sources.flatMap((source): readonly LabelledAccounts[] => {
      const kept = last.get(source)
      return kept === undefined || kept.until < now().getTime()
        ? []
        : [{ labels: source.labels, accounts: kept.accounts }]
    })
    if (sources.length === 1) last.clear() // the runner keeps what is shown of it, and that is smaller
    return { clouds, missing, anyRead: readings.length > 0 }
  }
}

/** Of a cloud among several. */
const name = ({ labels }: UsageSource): readonly string[] =>
  Object.keys(labels).length === 0 ? [] : [Object.values(labels).join("/")]

const absentEverywhere = ([first, ...others]: readonly CloudReading[]): readonly (readonly [string, string])[] =>
  [...(first?.absent ?? [])].filter(([what]) => others.every(({ absent }) => absent.has(what)))

function readAccounts(
  { key, labels, cloud, tags }: UsageSource,
  { start, pool, months, state, now, log }: UpdateOptions,
) {
  const logClocks = clockLog(log, labels)
  return async (weights: Weights, signal: AbortSignal) => {
    const before = state.of(key)
    // usage is never counted to an earlier moment than before
    const end = new Date(Math.max(now().getTime(), before.end))
    const period = { start: await start(end, signal), end }
    const {
      accounts,
      reading,
      state: after,
    } = await reconcile(before, period, { cloud, pool, weights, months, signal })
    state.set(key, { ...after, ...(tags === undefined ? {} : { tags: tags() }) })
    logClocks((before.end - now().getTime()) / 1000, reading.clockLead)
    return { accounts, reading }
  }
}

/** Seconds by which clocks may differ without a warning. */
const CLOCKS_AGREE = 60

/** Warns when clocks part, not again until they have agreed. `behind` is how far our clock went back. */
function clockLog(log: Logger, labels: Labels): (behind: number, lead: number | undefined) => void {
  const warnOf = (message: string) =>
    logChanges<true, [seconds: number]>((isWrong, seconds) => {
      if (isWrong) log.warn({ ...labels, seconds }, message)
    })
  const warnOfStep = warnOf("the clock went back: usage stands still until it has come to where it was")
  const warnOfLead = warnOf(
    "the cloud's clock is ahead of ours by these seconds, or behind it if they are negative: set the clocks",
  )
  return (behind, lead = 0) => {
    warnOfStep(behind > 1 || undefined, behind)
    warnOfLead(Math.abs(lead) > CLOCKS_AGREE || undefined, lead)
  }
}
