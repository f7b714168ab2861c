import { fetchText } from "#core/http/client.ts"
import { table } from "./table.ts"

/** The state of one site at the portal's Prometheus. */
export interface SiteStatus {
  readonly site: string
  /** Series of the site that it holds. */
  readonly series: number
  /** Seconds since the newest sample of the site was taken; undefined where there is none. */
  readonly age: number | undefined
  /** Why the last scrape failed; undefined where none did. */
  readonly error: string | undefined
}

export const isFederated = ({ series, error }: SiteStatus): boolean => series > 0 && error === undefined

/** Reads the state of these sites from the portal's Prometheus. */
export async function readStatus(
  prometheus: string,
  sites: readonly string[],
  signal: AbortSignal,
): Promise<readonly SiteStatus[]> {
  const [series, ages, errors] = await Promise.all([
    query(prometheus, 'count by (site) ({job="project_usages",site!=""})', signal),
    query(prometheus, 'time() - max by (site) (timestamp(project_vcpu_usage{site!=""}))', signal),
    scrapeErrors(prometheus, signal),
  ])
  return sites.map((site) => ({
    site,
    series: series.get(site) ?? 0,
    age: ages.get(site),
    error: errors.get(site),
  }))
}

/** Sites in the table; of more, only those that do not deliver are shown. */
const SHOWN = 20

export function statusTable(all: readonly SiteStatus[]): string {
  const statuses = all.length > SHOWN ? all.filter((status) => !isFederated(status)).slice(0, SHOWN) : all
  const delivering = all.filter(isFederated).length
  const rest = all.length > SHOWN ? `${delivering} of ${all.length} sites deliver.\n` : ""
  if (statuses.length === 0) return rest
  const rows = statuses.map((status) => [
    status.site,
    status.error ?? (status.series > 0 ? "delivers" : "nothing yet"),
    String(status.series),
    status.age === undefined ? "never" : `${status.age.toFixed(1)} s ago`,
  ])
  return table([["SITE", "STATE", "SERIES", "LAST DELIVERY"], ...rows], [2, 3]) + rest
}

/** The same in one line, while one waits. */
export function statusLine(statuses: readonly SiteStatus[]): string {
  const waiting = statuses.filter((status) => !isFederated(status)).map(({ site }) => site)
  const done = statuses.length - waiting.length
  const names = shorten(waiting)
  return `${done} of ${statuses.length} sites federated${names === "" ? "" : `, waiting for ${names}`}`
}

/** A few names, and how many more. */
export const shorten = (names: readonly string[]): string =>
  names.length > 4 ? `${names.slice(0, 3).join(", ")} and ${names.length - 3} more` : names.join(", ")

async function query(prometheus: string, expression: string, signal: AbortSignal): Promise<Map<string, number>> {
  const body = (await get(
    `${prometheus}/api/v1/query?${new URLSearchParams({ query: expression }).toString()}`,
    signal,
  )) as {
    data: { result: { metric: { site: string }; value: [number, string] }[] }
  }
  return new Map(body.data.result.map(({ metric, value }) => [metric.site, Number(value[1])]))
}

async function scrapeErrors(prometheus: string, signal: AbortSignal): Promise<Map<string, string>> {
  const body = (await get(`${prometheus}/api/v1/targets?state=active`, signal)) as {
    data: { activeTargets: { labels: { site?: string }; lastError: string }[] }
  }
  return new Map(
    body.data.activeTargets
      .filter(({ lastError }) => lastError !== "")
      .map(({ labels, lastError }) => [labels.site ?? "", lastError]),
  )
}

async function get(url: string, signal: AbortSignal): Promise<unknown> {
  const response = await fetchText(new URL(url), { deadline: 5, limit: 16_777_216, signal })
  if (response.status !== 200) throw new Error(`Prometheus responded ${response.status}: ${response.body}`)
  return JSON.parse(response.body)
}
