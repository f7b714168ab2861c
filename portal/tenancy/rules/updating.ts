import type { Logger } from "#core/log/logger.ts"
import type { InformerMetrics } from "./metrics.ts"
import type { ResourceSource } from "./resources/source.ts"
import type { Rulers } from "./ruler/open-rulers.ts"
import type { RulesInformerValues } from "./settings.ts"
import type { Ledger } from "./updater/ledger.ts"
import { startUpdater, type Updater, type UpdaterOptions } from "./updater/updater.ts"
import { validateGroupInSteps } from "./validation/validate-group.ts"

export interface UpdatingOptions {
  readonly values: RulesInformerValues
  readonly rulers: Pick<Rulers, "current">
  readonly source: ResourceSource
  readonly ledger: Ledger
  readonly metrics: Pick<InformerMetrics, "updater">
  /** Called with what a resource had at rulers that are to be forgotten. */
  readonly forgot: UpdaterOptions["forgot"]
  readonly now: () => Date
  readonly log: Logger
}

export interface Updating {
  /** undefined: the updater is off, or ends. */
  state(): ReturnType<Updater["state"]> | undefined
  /** With the rulers that are configured now; resolves when no request is sent to those of before. */
  restart(): Promise<void>
  /** Resolves after `signal` was aborted and what was under way is over. */
  readonly ended: Promise<void>
}

/** Runs the updater while the lease is held. */
export function keepUpdating(options: UpdatingOptions, signal: AbortSignal): Updating {
  const { values, rulers, source, ledger, metrics, forgot, now, log } = options
  const observer = metrics.updater(() => now().getTime() / 1000, values.updaterPollIntervalSeconds)
  const start = (): Updater =>
    startUpdater({
      ...{ source, ledger, observer, log },
      rulers: rulers.current(),
      claims: { template: values.rulerNamespaceTemplate, validate: validateGroupInSteps },
      plan: { adoptExisting: values.adoptExistingGroups },
      resync: values.updaterPollIntervalSeconds,
      mostDeletes: values.maxDeletesPerCycle,
      grace: values.deletionGrace,
      isForgotten: (ruler) => values.forgetRulers.includes(ruler),
      forgot,
      removes: values.enableUpdaterRemoveRules,
      dryRun: false,
    })
  let current = values.updaterPollIntervalSeconds > 0 ? start() : undefined
  const { promise: aborted, resolve: abort } = Promise.withResolvers<void>()
  if (signal.aborted) abort()
  else signal.addEventListener("abort", () => abort(), { once: true })
  return {
    state: () => current?.state(),
    async restart() {
      if (current === undefined || signal.aborted) return
      await current.close()
      current = signal.aborted ? undefined : start()
    },
    ended: aborted.then(() => current?.close()),
  }
}
