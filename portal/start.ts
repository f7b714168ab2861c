import { randomBytes } from "node:crypto"
import { closeAll } from "#core/closable.ts"
import type { Context, Running } from "#core/component.ts"
import { reloadOnChange } from "#core/files/reload.ts"
import { createRegistry } from "#core/metrics/registry.ts"
import { openClientCredentials } from "#core/http/client-credentials.ts"
import { addAdmin, serve } from "#core/http/server.ts"
import type { WebValues } from "#core/http/settings.ts"
import type { Accepted } from "./federation/accepted.ts"
import { type FederationPlan, loadPlan } from "./federation/load.ts"
import { portalMetrics } from "./federation/metrics.ts"
import { openRollout } from "./federation/rollout.ts"
import { type FederationSettings, prometheusCredentials } from "./federation/settings.ts"

/** Of the files, or of an earlier process where they are faulty. */
type PlanInForce = Accepted & Pick<FederationPlan, "warnings" | "filesFor">

/**
 * Keeps Prometheus' configuration equal to the configuration files: reads them when they change, writes, reloads. Faults in
 * them are logged, and the previous configuration stays active, also that of an earlier process; where there is none, they
 * end the start with ConfigurationError. Throws CANNOT_LISTEN and UsageError.
 */
export async function startPortal(settings: FederationSettings & WebValues, { log, env }: Context): Promise<Running> {
  const registry = createRegistry()
  const metrics = portalMetrics(registry)
  const credentials = await openClientCredentials({
    ...prometheusCredentials(settings),
    startWithout: true,
    log,
    registry,
  })
  const prometheus = { url: settings.prometheusUrl, sending: () => credentials.current() }
  const rollout = openRollout(settings.configDir, prometheus, metrics, log)
  // first the port: a second portal that is started by mistake must not write the files of the first
  const server = await serve({
    addresses: settings.webListenAddress,
    webConfigFile: settings.webConfigFile,
    registry,
    log,
    routes: (app) => addAdmin(app, registry, rollout.notReady),
  }).catch(async (error: unknown) => {
    await credentials.close()
    throw error
  })

  function apply(plan: PlanInForce): void {
    const { sites, warnings } = plan
    for (const { about, message } of warnings) log.warn(about, message)
    metrics.sites.set(sites.length)
    metrics.siteInterval.reset()
    for (const { name, interval } of sites) metrics.siteInterval.set({ site: name }, interval)
    if (sites.length === 0) log.warn({ file: settings.sitesFile }, "no sites are listed")
    rollout.start(plan)
  }

  const key = randomBytes(32)
  try {
    const reloading = await reloadOnChange<PlanInForce>({
      config: "sites",
      load: (read) => loadPlan(settings, { env, key, read }),
      // one file that cannot be read must not end the federation of all sites, nor what else Prometheus does
      fallback: {
        async load() {
          const accepted = await rollout.lastAccepted()
          return accepted && { ...accepted, warnings: [] }
        },
        consequence: "starting with the last accepted one",
      },
      apply,
      summary: ({ sites }) => ({ sites: sites.length }),
      log,
      registry,
    })
    return {
      close: () => closeAll([server, reloading, rollout, credentials]),
      reload: async () => void (await Promise.all([reloading.reload(), server.reload(), credentials.reload()])),
    }
  } catch (error) {
    await closeAll([server, rollout, credentials])
    throw error
  }
}
