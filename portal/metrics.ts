import { Gauge, type Registry } from "prom-client"

export interface PortalMetrics {
  readonly configWritten: Gauge
  readonly prometheusReloaded: Gauge
  readonly sites: Gauge
  readonly siteInterval: Gauge<"site">
}

export function portalMetrics(registry: Registry): PortalMetrics {
  const gauge = (name: string, help: string) => new Gauge({ name, help, registers: [registry] })
  return {
    configWritten: gauge(
      "fedstack_portal_config_last_write_successful",
      "1 if the Prometheus configuration of the last valid configuration files could be written.",
    ),
    prometheusReloaded: gauge(
      "fedstack_portal_prometheus_last_reload_successful",
      "1 if Prometheus took the last written configuration.",
    ),
    sites: gauge("fedstack_portal_sites", "Sites in the last valid configuration files."),
    siteInterval: new Gauge({
      name: "fedstack_portal_site_interval_seconds",
      help: "How often each site of the last valid configuration files is to be scraped.",
      labelNames: ["site"],
      registers: [registry],
    }),
  }
}
