import type { ListedSite } from "./listed.ts"

/** What is needed of a site. */
export interface Scraped {
  readonly site: Pick<ListedSite, "interval" | "timeout" | "paused">
  readonly record: { readonly last: { readonly at: number } | undefined }
}

/** Seconds. Samples are there when their scrape is over, with the time of its beginning. */
const LEAST = 5
const MARGIN = 3
/** At the start, and after a time without Prometheus: as long as it shows a sample by itself. */
const LONGEST = 300

/**
 * For how many seconds back scrapes are requested, so that none is missed and few come twice: since the poll before, and since
 * the beginning of each scrape that is under way, by when it was due. `now`: in seconds of Prometheus' clock.
 */
export function windowOf(sites: Iterable<Scraped>, now: number, polled: number | undefined): number {
  if (polled === undefined) return LONGEST
  let oldest = Math.min(polled, now - LEAST)
  for (const { site, record } of sites) {
    if (record.last === undefined || site.paused !== undefined) continue
    const due = record.last.at + site.interval
    // one that is later than its timeout does not come by itself
    if (due < oldest && now - due <= site.timeout + MARGIN) oldest = due
  }
  return Math.min(LONGEST, now - oldest + MARGIN)
}
