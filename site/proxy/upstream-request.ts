import type { IncomingHttpHeaders } from "node:http"
import { printSelector, type Selector } from "#core/promql/selector.ts"

/** The query of the request to Prometheus, built from what was understood, never from the client's text. */
export function upstreamQuery(selectors: readonly Selector[]): string {
  return selectors.map((selector) => `match%5B%5D=${encodeURIComponent(printSelector(selector))}`).join("&")
}

/**
 * Seconds that Prometheus is given: the scraper's own timeout, less a twentieth for the way back so that it still sees
 * the answer, and never more than `most`.
 */
export function deadlineOf(headers: IncomingHttpHeaders, most: number): number {
  const header = headers["x-prometheus-scrape-timeout-seconds"]
  const asked = typeof header === "string" && /^\d{1,6}(?:\.\d{1,9})?$/.test(header) ? Number(header) : 0
  return asked === 0 ? most : Math.min(most, Math.max(0.1, asked * 0.95))
}

/**
 * All headers of the request to Prometheus. Accept goes as it came, because Prometheus 3 reads the escaping of names from
 * it; where there is none, none is added.
 */
export function upstreamHeaders(headers: IncomingHttpHeaders, deadline: number): Record<string, string> {
  return {
    ...(headers.accept === undefined ? {} : { accept: headers.accept }),
    "accept-encoding": takesGzip(headers["accept-encoding"]) ? "gzip" : "identity",
    "x-prometheus-scrape-timeout-seconds": String(deadline),
    "user-agent": "fedstack-proxy",
  }
}

/** Prometheus' own rule: an exact `gzip` counts, `gzip;q=1.0` does not. */
export function takesGzip(acceptEncoding: string | string[] | undefined): boolean {
  return String(acceptEncoding ?? "")
    .split(",")
    .some((coding) => coding.trim() === "gzip")
}
