/** One scrape of a site that Prometheus noted. Times in seconds of Unix time, by Prometheus' clock. */
export interface Scrape {
  readonly at: number
  readonly ok: boolean
  readonly seconds: number | null
  /** Series in the response; null where Prometheus does not say. */
  readonly series: number | null
  /** Those that are left after relabelling. */
  readonly kept: number | null
}

/** What Prometheus knows of the last scrape of a target. */
export interface Target {
  /** When it began; 0 before the first one since Prometheus, or the job, began. */
  readonly at: number
  readonly health: "up" | "down" | "unknown"
  readonly error: string
  readonly seconds: number
}

/** What Prometheus sent is not what its API is said to send. */
export class Unreadable extends Error {}

/** The series of a scrape that are read. */
const PARTS = {
  up: "up",
  scrape_duration_seconds: "seconds",
  scrape_samples_scraped: "series",
  scrape_samples_post_metric_relabeling: "kept",
} as const
const SELECTOR = `{__name__=~"${Object.keys(PARTS).join("|")}",site!=""}`

/** With the samples themselves: a plain selector would hide when they were taken, as before a restart of Prometheus. */
export const scrapesQuery = (seconds: number): string => `${SELECTOR}[${Math.ceil(seconds)}s]`

/** Scrapes of each site, the oldest first. Only of those whose job has the name of the site: sites may send series called `up`. */
export function readScrapes(body: string): ReadonlyMap<string, readonly Scrape[]> {
  const { resultType, result } = objectIn(dataOf(body))
  if (resultType !== "matrix") throw new Unreadable(`the result of the query is no matrix`)
  const sites = new Map<string, Map<number, Partial<Record<"up" | "seconds" | "series" | "kept", number>>>>()
  for (const one of listIn(result)) {
    const { metric, values } = objectIn(one)
    const { __name__: name, site, job } = objectIn(metric)
    if (typeof site !== "string" || job !== site || typeof name !== "string" || !Object.hasOwn(PARTS, name)) continue
    const part = PARTS[name as keyof typeof PARTS]
    const scrapes = sites.get(site) ?? new Map<number, Partial<Record<typeof part, number>>>()
    sites.set(site, scrapes)
    for (const sample of listIn(values)) {
      const [at, text] = listIn(sample)
      const value = Number(text)
      if (typeof at !== "number" || !Number.isFinite(value)) continue
      const scrape = scrapes.get(at) ?? {}
      scrape[part] = value
      scrapes.set(at, scrape)
    }
  }
  return new Map([...sites].map(([site, scrapes]) => [site, inOrder(scrapes)]))
}

function inOrder(
  scrapes: ReadonlyMap<number, Partial<Record<"up" | "seconds" | "series" | "kept", number>>>,
): readonly Scrape[] {
  const whole: Scrape[] = []
  for (const [at, { up, seconds = null, series = null, kept = null }] of scrapes)
    if (up !== undefined) whole.push({ at, ok: up === 1, seconds, series, kept })
  return whole.toSorted((a, b) => a.at - b.at)
}

/** Of the jobs that have one target each and a site's name. Others are of the base configuration, which may be many. */
export function readTargets(body: string, isSite: (pool: string) => boolean): ReadonlyMap<string, Target> {
  const targets = new Map<string, Target>()
  for (const one of listIn(objectIn(dataOf(body)).activeTargets)) {
    const { scrapePool, health, lastError, lastScrape, lastScrapeDuration } = objectIn(one)
    if (typeof scrapePool !== "string" || !isSite(scrapePool)) continue
    const at = Date.parse(String(lastScrape)) / 1000
    targets.set(scrapePool, {
      at: Number.isFinite(at) && at > 0 ? at : 0, // before the first one it is the year 1
      health: health === "up" || health === "down" ? health : "unknown",
      error: typeof lastError === "string" ? lastError : "",
      seconds: typeof lastScrapeDuration === "number" ? lastScrapeDuration : 0,
    })
  }
  return targets
}

/** Names of the jobs that Prometheus has made. */
export function readPools(body: string): ReadonlySet<string> {
  const pools = listIn(objectIn(dataOf(body)).scrapePools)
  return new Set(pools.filter((pool) => typeof pool === "string"))
}

/** One number of each series. */
export function readSeries(body: string) {
  const series: { readonly labels: Readonly<Record<string, string>>; readonly value: number }[] = []
  for (const one of listIn(objectIn(dataOf(body)).result)) {
    const { metric, value } = objectIn(one)
    const number = Number(listIn(value)[1])
    const labels = objectIn(metric)
    if (Number.isFinite(number)) series.push({ labels: labels as Readonly<Record<string, string>>, value: number })
  }
  return series
}

function dataOf(body: string): unknown {
  let whole: unknown
  try {
    whole = JSON.parse(body)
  } catch {
    throw new Unreadable("the response is not JSON")
  }
  const { status, data } = objectIn(whole)
  if (status !== "success") throw new Unreadable("the response has no status success")
  return data
}

function objectIn(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null)
    throw new Unreadable("the response holds something else than expected")
  return value as Readonly<Record<string, unknown>>
}

function listIn(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new Unreadable("the response holds something else than expected")
  return value
}
