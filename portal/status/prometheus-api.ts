import { fetchText } from "#core/http/client.ts"
import { below, type PrometheusServer } from "../federation/prometheus.ts"
import { readPools, readScrapes, readTargets, scrapesQuery } from "./scrapes.ts"

/** Seconds. Prometheus that takes longer is overloaded, and what it would say is old. */
const DEADLINE = 5
/** About 1.3 kB a target, and some 250 B a series. */
const LIMIT = 48 * 2 ** 20

/** Prometheus responded, and not with what was requested. */
export class Refused extends Error {
  readonly status: number
  /** By the API itself; empty where something before it responded, as while Prometheus reads its data. */
  readonly detail: string

  constructor(path: string, status: number, detail: string) {
    super(`${path} responds with ${status}${detail === "" ? "" : `: ${detail}`}`)
    this.status = status
    this.detail = detail
  }
}

/** Whether the query API is missing there, as in agent mode. */
export const isWithoutQueries = (error: unknown): boolean =>
  error instanceof Refused && (error.status === 404 || /unavailable with Prometheus Agent/i.test(error.message))

/** What the portal requests of its Prometheus. Each call throws REQUEST_FAILED, Refused and Unreadable. */
export function prometheusApi({ url, sending }: PrometheusServer) {
  async function get(path: string, query: Readonly<Record<string, string>>, signal: AbortSignal) {
    const { agent: dispatcher, headers } = sending()
    const address = below(url, path)
    address.search = new URLSearchParams(query).toString()
    const response = await fetchText(address, { deadline: DEADLINE, limit: LIMIT, signal, dispatcher, headers })
    if (response.status === 200) return response
    throw new Refused(path, response.status, errorIn(response.body))
  }
  const query = (expression: string, signal: AbortSignal) =>
    get("/api/v1/query", { query: expression, timeout: `${DEADLINE}s` }, signal)
  return {
    /** Scrapes of the last seconds, and the time there. */
    async scrapes(seconds: number, signal: AbortSignal) {
      const { body, headers } = await query(scrapesQuery(seconds), signal)
      return { scrapes: readScrapes(body), clock: Date.parse(headers.date ?? "") / 1000 }
    },
    /** Of all sites, or of one. */
    async targets(isSite: (pool: string) => boolean, signal: AbortSignal, pool?: string) {
      const of = pool === undefined ? {} : { scrapePool: pool }
      const { body, headers } = await get("/api/v1/targets", { state: "active", ...of }, signal)
      return { targets: readTargets(body, isSite), clock: Date.parse(headers.date ?? "") / 1000 }
    },
    async pools(signal: AbortSignal) {
      return readPools((await get("/api/v1/scrape_pools", {}, signal)).body)
    },
    /** The response to an expression whose result is a vector. */
    query: async (expression: string, signal: AbortSignal) => (await query(expression, signal)).body,
  }
}

export type PrometheusApi = ReturnType<typeof prometheusApi>

/** Of the first characters alone: what is not our Prometheus may send anything. */
function errorIn(body: string): string {
  try {
    const { error } = JSON.parse(body) as { readonly error?: unknown }
    if (typeof error === "string") return printable(error)
  } catch {
    // an error page of a proxy: its text says nothing to whom reads ours
  }
  return ""
}

/** Cut, and in one line without control characters. */
export const printable = (text: string, length = 300): string =>
  text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ").slice(0, length)
