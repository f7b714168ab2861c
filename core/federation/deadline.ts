import type { IncomingHttpHeaders } from "node:http"

/**
 * Seconds within which the client must have its response: the scraper's own timeout, less a twentieth for the way back so
 * that it still sees the response, and never more than `most`.
 */
export function deadlineOf(headers: IncomingHttpHeaders, most: number): number {
  const header = headers["x-prometheus-scrape-timeout-seconds"]
  const wanted = typeof header === "string" && /^\d{1,6}(?:\.\d{1,9})?$/.test(header) ? Number(header) : 0
  return wanted === 0 ? most : Math.min(most, Math.max(0.1, Math.round(wanted * 950) / 1000))
}
