import { Gauge, type Registry } from "prom-client"

export type PortalMetrics = ReturnType<typeof portalMetrics>

export function portalMetrics(registry: Registry) {
  const gauge = (name: string, help: string) => new Gauge({ name, help, registers: [registry] })
  const jobsNotScraped = gauge(
    "fedstack_portal_jobs_not_scraped",
    "Jobs of the accepted configuration that Prometheus does not scrape, as where a file of theirs cannot be read; no series before it says so.",
  )
  jobsNotScraped.remove() // a gauge without labels begins as 0
  return {
    configWritten: gauge(
      "fedstack_portal_config_last_write_successful",
      "1 if the Prometheus configuration of the last valid configuration files was written, 0 if that failed.",
    ),
    prometheusReloaded: gauge(
      "fedstack_portal_prometheus_last_reload_successful",
      "1 if Prometheus accepted the last written configuration, 0 if it refused it or could not be reached.",
    ),
    jobsNotScraped,
    sites: gauge("fedstack_portal_sites", "Sites in the last valid configuration files."),
    siteInterval: new Gauge({
      name: "fedstack_portal_site_interval_seconds",
      help: "Scrape interval of each site in the last valid configuration files.",
      labelNames: ["site"],
      registers: [registry],
    }),
  }
}
