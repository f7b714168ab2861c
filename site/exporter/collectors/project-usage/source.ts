import type { Labels } from "#core/metrics/exposition.ts"
import type { Logger } from "#core/log/logger.ts"
import { type Accounts, reconcile } from "./accounts/reconcile.ts"
import type { StateFile } from "./accounts/state-file.ts"
import type { CloudState } from "./accounts/state.ts"
import type { Cloud, Observations } from "./cloud.ts"
import type { Pool } from "./simple-vm.ts"
import type { StartDate } from "./start-date.ts"
import type { Weights } from "./weights.ts"

/** One cloud, whose usage is read whole or not at all. */
export interface Source {
  /** What tells its series from those of other clouds; none where it is the only one. */
  readonly labels: Labels
  update(
    weights: Weights,
    signal: AbortSignal,
  ): Promise<{ readonly accounts: Accounts; readonly remarks: Observations }>
}

export interface SourceOptions {
  /** Its name in the state file. */
  readonly key: string
  readonly labels: Labels
  readonly cloud: Cloud
  readonly start: StartDate
  readonly pool: Pool | undefined
  readonly months: number
  readonly state: StateFile
  /** What the cloud itself wants to be remembered. */
  readonly tags?: () => CloudState["tags"]
  readonly now: () => Date
  readonly log: Logger
}

/** Seconds by which clocks may differ before that is told. */
const CLOCKS_AGREE = 60

export function openSource(options: SourceOptions): Source {
  const { key, labels, cloud, start, pool, months, state, tags, now, log } = options
  const tell = tellClocks(log, labels)
  return {
    labels,
    async update(weights, signal) {
      const before = state.of(key)
      // usage is never counted to an earlier moment than before
      const end = new Date(Math.max(now().getTime(), before.end))
      const period = { start: await start(end, signal), end }
      const {
        accounts,
        state: after,
        reading,
      } = await reconcile(before, period, { cloud, pool, weights, months, signal })
      state.set(key, { ...after, ...(tags === undefined ? {} : { tags: tags() }) })
      const behind = (before.end - now().getTime()) / 1000
      tell(behind, reading.clockLead)
      return { accounts, remarks: reading }
    },
  }
}

/** Warns once each time when clocks part. */
function tellClocks(log: Logger, labels: Labels): (behind: number, lead: number | undefined) => void {
  let [wasBehind, hadLead] = [false, false]
  return (behind, lead = 0) => {
    const isBehind = behind > 1
    if (isBehind && !wasBehind)
      log.warn(
        { ...labels, seconds: behind },
        "the clock went back: usage stands still until it has come to where it was",
      )
    const hasLead = Math.abs(lead) > CLOCKS_AGREE
    if (hasLead && !hadLead)
      log.warn(
        { ...labels, seconds: lead },
        "the cloud's clock is ahead of ours by these seconds, or behind it if they are negative: set the clocks",
      )
    ;[wasBehind, hadLead] = [isBehind, hasLead]
  }
}
