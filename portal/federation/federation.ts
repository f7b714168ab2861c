import { randomBytes } from "node:crypto"
import type { Registry } from "prom-client"
import { type Closable, closeAll } from "#core/closable.ts"
import { reloadOnChange } from "#core/files/reload.ts"
import type { Logger } from "#core/log/logger.ts"
import { loadPlan, type FederationPlan } from "./load.ts"
import { portalMetrics } from "./metrics.ts"
import { openRollout } from "./rollout.ts"
import type { FederationSettings } from "./settings.ts"
import { type Inputs, PLAIN_HTTP, sendsTokenInPlain } from "./sites.ts"

export interface RunningFederation extends Closable {
  reload: () => Promise<void>
  /** Why Prometheus has no configuration yet; undefined once it was written. */
  notReady: () => string | undefined
}

export interface FederationContext {
  readonly settings: FederationSettings
  readonly env: Inputs["env"]
  readonly registry: Registry
  readonly log: Logger
}

/**
 * Keeps Prometheus' configuration equal to the configuration files: reads them when they change, writes, reloads. Faults in
 * them end the start with ConfigurationError; later they are logged, and the previous configuration stays active.
 */
export async function startFederation({ settings, env, registry, log }: FederationContext): Promise<RunningFederation> {
  const metrics = portalMetrics(registry)
  const key = randomBytes(32)
  const rollout = openRollout({ folder: settings.configDir, prometheusUrl: settings.prometheusUrl, metrics, log })

  function apply(plan: FederationPlan): void {
    metrics.sites.set(plan.sites.length)
    metrics.siteInterval.reset()
    for (const { name, interval } of plan.sites) metrics.siteInterval.set({ site: name }, interval)
    if (plan.sites.length === 0) log.warn({ file: settings.sitesFile }, "no sites are listed")
    for (const { name, url } of plan.sites) if (sendsTokenInPlain(url)) log.warn({ site: name }, PLAIN_HTTP)
    rollout.start(plan.files)
  }

  try {
    const reloading = await reloadOnChange({
      config: "sites",
      load: (read) => loadPlan(settings, { env, key, read }),
      apply,
      summary: ({ sites }) => ({ sites: sites.length }),
      log,
      registry,
    })
    return {
      reload: () => reloading.reload(),
      close: () => closeAll([reloading, rollout]),
      notReady: () => rollout.notReady(),
    }
  } catch (error) {
    await rollout.close()
    throw error
  }
}
