import { startFederation } from "#core/federation/start.ts"
import type { Logger } from "#core/log/logger.ts"
import type { ProxyConfig } from "./config.ts"
import { createProxyMetrics } from "./metrics.ts"
import { openPrometheus } from "./source.ts"

export type RunningProxy = Awaited<ReturnType<typeof startProxy>>

/** Serves /federate of the site's Prometheus to clients of the policy. */
export function startProxy(
  config: ProxyConfig,
  log: Logger,
  now: () => Date = () => new Date(),
  milliseconds = (): number => performance.now(),
) {
  const metrics = createProxyMetrics()
  return startFederation(config, {
    prefix: "fedstack_proxy",
    paths: { "/federate": "selectors" },
    refuseBasicAuth: "the portal's token comes in the same header; remove the users",
    openSource: () => openPrometheus(metrics, log, milliseconds),
    ...{ metrics, log, now, milliseconds },
  })
}
