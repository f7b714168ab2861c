import { type FederationConfig, startFederation } from "#core/federation/start.ts"
import type { Logger } from "#core/log/logger.ts"
import type { TenantPolicy } from "./clients/client.ts"
import { createExpositionMetrics, PREFIX } from "./metrics.ts"
import { openStore } from "./source.ts"

/** Serves tenants' series in Cortex or Mimir to the clients of the file. */
export function startExposition(
  config: FederationConfig<TenantPolicy>,
  log: Logger,
  now: () => Date = () => new Date(),
  milliseconds = (): number => performance.now(),
) {
  const metrics = createExpositionMetrics()
  return startFederation(config, {
    prefix: PREFIX,
    paths: { "/federate": "selectors", "/metrics": "everything" },
    refuseBasicAuth: "clients' tokens come in the same header; remove the users",
    openSource: () => openStore(log, now, milliseconds, metrics),
    ...{ metrics, log, now, milliseconds },
  })
}
