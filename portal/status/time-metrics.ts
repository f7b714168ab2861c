import { Gauge, type Registry } from "prom-client"
import { SHARD } from "../federation/shard-config.ts"
import type { LabelOf } from "./metrics.ts"
import type { SiteDetails, SiteStatus, StatusSource } from "./overview.ts"

/** Since when a site is in its state, and what of it ends when. Made when they are collected, so that none of a removed site stays. */
export function timeMetrics(
  registry: Registry,
  source: Pick<StatusSource, "current" | "site">,
  labelOf: LabelOf,
): void {
  const gauge = (name: string, help: string, timeOf: (site: SiteStatus) => Date | undefined): void => {
    const metric = new Gauge({
      name,
      help,
      labelNames: ["site", SHARD],
      registers: [],
      collect() {
        this.reset()
        for (const site of source.current().sites) {
          const time = timeOf(site)
          if (time !== undefined) this.set({ site: site.name, ...labelOf(site.shard) }, time.getTime() / 1000)
        }
      },
    })
    registry.registerMetric(metric)
  }
  const ofDetails = (timeOf: (details: SiteDetails) => Date | undefined) => (site: SiteStatus) => {
    const details = source.site(site.name)
    return details && timeOf(details)
  }
  gauge(
    "fedstack_portal_site_since_timestamp_seconds",
    "Since when each site is in its state, in Unix time.",
    ({ since }) => since,
  )
  gauge(
    "fedstack_portal_site_certificate_expiry_timestamp_seconds",
    "When the certificate of each site ends, as it was last seen, in Unix time.",
    ofDetails(({ certificateExpires }) => certificateExpires),
  )
  gauge(
    "fedstack_portal_site_token_expiry_timestamp_seconds",
    "When the token for each site ends, where it says so itself, in Unix time.",
    ofDetails(({ tokenExpires }) => tokenExpires),
  )
}
