import { explain } from "#core/errors.ts"
import type { Accounts } from "./accounts/settle.ts"
import type { LabelledAccounts } from "./families.ts"
import type { UsageMetrics } from "./metrics.ts"
import type { Source } from "./source.ts"
import type { Weights } from "./weights.ts"

export interface SourcesOptions {
  /** Seconds for which the last accounts of a cloud stay while it can't be read. */
  readonly maxAge: number
  readonly now: () => Date
  readonly metrics: UsageMetrics
}

export interface Update {
  /** Those that were read now, and those of an earlier update that are young enough. */
  readonly clouds: readonly LabelledAccounts[]
  /** Why some or all could not be read. */
  readonly failure: Error | undefined
  readonly anyRead: boolean
}

/** Updates all clouds at the same time, each whole or not at all; one that fails does not hold up the others. */
export function updateAll(
  sources: readonly Source[],
  { maxAge, now, metrics }: SourcesOptions,
): (weights: Weights, signal: AbortSignal) => Promise<Update> {
  const last = new Map<Source, { readonly accounts: Accounts; readonly until: number }>()
  const updateOne = async (source: Source, weights: Weights, signal: AbortSignal): Promise<Error | undefined> => {
    const at = now().getTime()
    try {
      const { accounts, remarks } = await source.update(weights, signal)
      // the next update may take as long as this one did
      last.set(source, { accounts, until: at + maxAge * 1000 + 2 * (now().getTime() - at) })
      metrics.succeeded(source.labels, at / 1000, remarks)
      return undefined
    } catch (error) {
      metrics.failed(source.labels, error)
      const name = Object.values(source.labels).join("/")
      return new Error(name === "" ? explain(error) : `${name}: ${explain(error)}`, { cause: error })
    }
  }
  return async (weights, signal) => {
    const outcomes = await Promise.all(sources.map((source) => updateOne(source, weights, signal)))
    const failures = outcomes.filter((outcome) => outcome !== undefined)
    const present = now().getTime()
    const update: Update = {
      anyRead: failures.length < sources.length,
      failure: failures.length > 1 ? new AggregateError(failures) : failures[0],
      clouds: sources.flatMap((source) => {
        const kept = last.get(source)
        return kept === undefined || kept.until < present ? [] : [{ labels: source.labels, accounts: kept.accounts }]
      }),
    }
    if (sources.length === 1) last.clear() // who asked keeps what is shown of it, and that is smaller
    return update
  }
}
