import { elapsed } from "./elapsed.ts"
import type { Visible } from "./judge.ts"
import { readSeries } from "./scrapes.ts"
import type { PrometheusApi } from "./prometheus-api.ts"
import type { Tracked } from "./tracked.ts"

/** Seconds. Each site is looked at so often, some of them at a time; one that is stale more often, to see that it is over. */
const EVERY = 300
const OF_STALE = 30
const STEP = 6
/** Between a scrape and the look at it: later, Prometheus would show nothing of a site that is scraped rarely. */
const LATEST = 200

/**
 * Series with the labels `site` and `job` that are not a site's own: of scrapes, of this portal, and recorded ones. What rules
 * make by site has no job, as no series of a site is without: alerts on a site that is stale must not show it as delivering.
 */
const NOT_OWN = "up|scrape_.+|fedstack_portal_.+|site:.+|cause:.+"

/**
 * Looks, for some sites at a time, at what Prometheus shows of them: that a scrape succeeded does not mean that its samples were
 * taken. `now`: seconds of Prometheus' clock.
 */
export function openVisibility(api: PrometheusApi) {
  const looked = new Map<string, number>()
  let lastStep = -Infinity

  function due(sites: ReadonlyMap<string, Tracked>, now: number): readonly string[] {
    const names: string[] = []
    for (const [name, { record, state }] of sites) {
      const { last, failures } = record
      if (last === undefined || failures > 0 || last.kept === null || last.kept === 0) continue
      const every = state === "stale" ? OF_STALE : EVERY
      const since = now - last.at - (last.seconds ?? 0)
      if (since <= LATEST && elapsed(looked.get(name) ?? -Infinity, now) >= every) names.push(name)
    }
    // those that wait longest first
    names.sort((a, b) => (looked.get(a) ?? 0) - (looked.get(b) ?? 0))
    return names.slice(0, Math.max(1, Math.ceil((sites.size * STEP) / EVERY)))
  }

  return async (
    sites: ReadonlyMap<string, Tracked>,
    now: number,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, Visible>> => {
    for (const name of looked.keys()) if (!sites.has(name)) looked.delete(name)
    if (elapsed(lastStep, now) < STEP) return new Map()
    lastStep = now
    const names = due(sites, now)
    if (names.length === 0) return new Map()
    for (const name of names) looked.set(name, now)
    const counted = await countOf(api, names, signal)
    const none = names.filter((name) => counted.get(name)?.series === undefined)
    const others = none.length === 0 ? new Map<string, number>() : await othersOf(api, none, signal)
    return new Map(
      names.map((name) => {
        const { series = others.get(name) ?? 0, newest } = counted.get(name) ?? {}
        return [name, { at: now, scraped: sites.get(name)?.record.last?.at ?? 0, series, newest }]
      }),
    )
  }
}

const matcherOf = (names: readonly string[]): string =>
  `site=~"${names.map((name) => name.replaceAll(".", "\\\\.")).join("|")}",job!=""`

async function countOf(api: PrometheusApi, names: readonly string[], signal: AbortSignal) {
  const selector = `{${matcherOf(names)},__name__!~"${NOT_OWN}"}`
  const newest = `label_replace(max by (site) (timestamp(${selector})), "newest", "1", "", "")`
  const found = new Map<string, { series?: number; newest?: number }>()
  for (const { labels, value } of readSeries(await api.query(`count by (site) (${selector}) or ${newest}`, signal))) {
    const { site = "" } = labels
    found.set(site, { ...found.get(site), [labels.newest === undefined ? "series" : "newest"]: value })
  }
  return found
}

/** A site may share nothing else than series with such names. */
async function othersOf(api: PrometheusApi, names: readonly string[], signal: AbortSignal) {
  const counts = new Map<string, number>()
  for (const { labels } of readSeries(await api.query(`{${matcherOf(names)},__name__=~"${NOT_OWN}"}`, signal))) {
    const { site = "", job, __name__: name = "", exported_site: behind } = labels
    const isOurs = job === site || (name.startsWith("fedstack_portal_") && behind === undefined)
    if (!isOurs) counts.set(site, (counts.get(site) ?? 0) + 1)
  }
  return counts
}
