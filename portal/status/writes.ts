import type { Writes } from "./judge-pushing.ts"
import type { PrometheusApi } from "./prometheus-api.ts"
import { readSeries } from "./scrapes.ts"

/** Of this portal alone: whatever a site delivers or pushes has the label `site`. */
const metric = (name: string): string => `fedstack_tenancy_proxy_sender_${name}{site=""}`
const LAST = `max by (sender) (${metric("last_write_timestamp_seconds")})`
const SET_ASIDE = `sum by (sender) (increase(${metric("set_aside_series_total")}[10m]))`
const QUERY = `${LAST} or label_replace(${SET_ASIDE}, "set_aside", "1", "", "")`

/** What the tenancy proxy reports of each sender, as Prometheus has scraped it; none of what it does not scrape now. */
export async function requestWrites(
  api: Pick<PrometheusApi, "query">,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Writes>> {
  const setAside = new Map<string, number>()
  const last = new Map<string, number>()
  for (const { labels, value } of readSeries(await api.query(QUERY, signal))) {
    const { sender = "" } = labels
    ;(labels.set_aside === undefined ? last : setAside).set(sender, value)
  }
  return new Map([...last].map(([sender, at]) => [sender, { last: at, setAside: setAside.get(sender) ?? 0 }]))
}
