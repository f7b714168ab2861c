import { Gauge, type Registry } from "prom-client"
import { SHARD } from "./shard-config.ts"
import type { Shard } from "./shards.ts"

export type PortalMetrics = ReturnType<typeof portalMetrics>
/** Those about one of several Prometheus. */
export type ShardMetrics = ReturnType<PortalMetrics["of"]>

/** The label of what is about one of several Prometheus. */
export const shardLabel = ({
  name,
  named,
}: Pick<Shard, "name" | "named">): Readonly<Partial<Record<"shard", string>>> => (named ? { [SHARD]: name } : {})

export function portalMetrics(registry: Registry) {
  const gauge = (name: string, help: string) => new Gauge({ name, help, labelNames: [SHARD], registers: [registry] })
  const jobsNotScraped = gauge(
    "fedstack_portal_jobs_not_scraped",
    "Jobs of the accepted configuration that Prometheus does not scrape, as where a file of theirs cannot be read; no series before it says so.",
  )
  const configWritten = gauge(
    "fedstack_portal_config_last_write_successful",
    "1 if the Prometheus configuration of the last valid configuration files was written, 0 if that failed.",
  )
  const prometheusReloaded = gauge(
    "fedstack_portal_prometheus_last_reload_successful",
    "1 if Prometheus accepted the last written configuration, 0 if it refused it or could not be reached.",
  )
  return {
    sites: new Gauge({
      name: "fedstack_portal_sites",
      help: "Sites in the last valid configuration files.",
      registers: [registry],
    }),
    siteInterval: new Gauge({
      name: "fedstack_portal_site_interval_seconds",
      help: "Scrape interval of each site in the last valid configuration files that is not paused.",
      labelNames: ["site", SHARD],
      registers: [registry],
    }),
    of(shard: Pick<Shard, "name" | "named">) {
      const label = shardLabel(shard)
      const set = (metric: typeof jobsNotScraped) => ({ set: (value: number) => metric.set(label, value) })
      configWritten.set(label, 0)
      prometheusReloaded.set(label, 0)
      return {
        configWritten: set(configWritten),
        prometheusReloaded: set(prometheusReloaded),
        jobsNotScraped: set(jobsNotScraped),
      }
    },
  }
}
