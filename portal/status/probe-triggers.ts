import type { ProbeTrigger } from "../diagnosis/probe/schedule.ts"
import type { Site } from "../federation/sites.ts"
import { elapsed } from "./elapsed.ts"
import type { Tracked } from "./tracked.ts"

/** Seconds between two probes of a site that delivers: what no scrape reports is seen by them alone. */
const HEALTHY = 480
/** Seconds for each site, over which the first probes are spread: what no scrape reports is not to be green for long. */
const FIRST = 0.1
/** Series that a site lost since the scrape before, as a share: reason enough to look. */
const FELL = 0.2

interface Noted {
  /** State and cause at the last turn. */
  readonly of: string
  readonly entry: Site
  readonly series: number | null
  /** From when on, in milliseconds, and after how many of them a probe of the site is due though nothing changed. */
  readonly from: number
  readonly pause: number
}

/** Which sites are to be probed: all that are in trouble, those that changed, and each other one now and then. */
export function openProbeTriggers(now: () => number) {
  let noted: ReadonlyMap<string, Noted> = new Map()
  return (sites: Iterable<Tracked>): ReadonlyMap<string, ProbeTrigger> => {
    const next = new Map<string, Noted>()
    const triggers = new Map<string, ProbeTrigger>()
    const all = [...sites]
    const spread = Math.min(HEALTHY, all.length * FIRST)
    for (const { site, row, finding, record } of all) {
      const { entry } = site
      // without Prometheus it is not known which sites fail
      if (entry === undefined || site.paused !== undefined) continue
      const before = noted.get(site.name)
      if (row.state === "unknown" || row.state === "waiting") {
        triggers.set(site.name, { failing: false, changed: false })
        if (before !== undefined) next.set(site.name, before)
        continue
      }
      const of = `${row.state} ${finding?.cause.id}`
      const series = record.last?.series ?? before?.series ?? null
      const fell = (before?.series ?? 0) - (series ?? Infinity) > FELL * (before?.series ?? 0)
      const isDue = before !== undefined && elapsed(before.from, now()) >= before.pause
      const isOther = before !== undefined && requestOf(before.entry) !== requestOf(entry)
      const changed = (before?.of !== of && row.state !== "ok") || fell || isDue || isOther
      const from = changed ? now() : (before?.from ?? now())
      const pause = changed ? HEALTHY * 1000 : (before?.pause ?? spread * 1000 * shareOf(site.name))
      next.set(site.name, { of, entry, series, from, pause })
      triggers.set(site.name, { failing: row.state === "down" || row.state === "stale", changed })
    }
    noted = next
    return triggers
  }
}

const requests = new WeakMap<Site, string>()

/** All that a request of the site is made of. The name of the file with its secret changes with the secret. */
function requestOf(site: Site): string {
  const known = requests.get(site)
  if (known !== undefined) return known
  const { url, match, secretFile, token, basic_auth, authorization, oauth2, proxy_url, tls } = site
  const text = JSON.stringify([url, match, secretFile, token, basic_auth, authorization, oauth2, proxy_url, tls])
  requests.set(site, text)
  return text
}

/** From 0 to 1, always the same for a name: so that after a start not all sites are probed at once. */
function shareOf(name: string): number {
  let hash = 0
  for (let index = 0; index < name.length; index += 1) hash = (hash * 31 + name.charCodeAt(index)) % 1_009
  return hash / 1_009
}
