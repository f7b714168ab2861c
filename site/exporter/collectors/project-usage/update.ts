import { explain } from "#core/errors.ts"
import type { Accounts } from "./accounts/reconcile.ts"
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
  /** Which could not be read now, and why. */
  readonly missing: ReadonlyMap<string, string>
}

/** Updates all clouds at the same time, each whole or not at all; one that fails does not hold up the others. */
export function updateAll(
  sources: readonly Source[],
  { maxAge, now, metrics }: SourcesOptions,
): (weights: Weights, signal: AbortSignal) => Promise<Update> {
  const last = new Map<Source, { readonly accounts: Accounts; readonly until: number }>()
  const updateOne = async (source: Source, weights: Weights, signal: AbortSignal): Promise<string | undefined> => {
    const at = now().getTime()
    try {
      const { accounts, remarks } = await source.update(weights, signal)
      // the next update may take as long as this one did
      last.set(source, { accounts, until: at + maxAge * 1000 + 2 * (now().getTime() - at) })
      metrics.succeeded(source.labels, at / 1000, remarks)
      return undefined
    } catch (error) {
      metrics.failed(source.labels, error)
      return explain(error)
    }
  }
  return async (weights, signal) => {
    const reasons = await Promise.all(sources.map((source) => updateOne(source, weights, signal)))
    const present = now().getTime()
    const update: Update = {
      missing: new Map(
        sources.flatMap(({ labels }, index) => {
          const reason = reasons[index]
          return reason === undefined ? [] : [[Object.values(labels).join("/") || "cloud", reason] as const]
        }),
      ),
      clouds: sources.flatMap((source) => {
        const kept = last.get(source)
        return kept === undefined || kept.until < present ? [] : [{ labels: source.labels, accounts: kept.accounts }]
      }),
    }
    if (sources.length === 1) last.clear() // who asked keeps what is shown of it, and that is smaller
    return update
  }
}
