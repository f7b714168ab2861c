import { parseDuration } from "#core/config/units.ts"

/** Seconds that Prometheus may work on a query that is passed on. */
export const LONGEST_QUERY = 60

/**
 * The query of a request, written anew: a server that reads `;` or a second `?` in its own way finds them encoded. With
 * `capped`, it has one `timeout`, and of the form that came as the body none is left, which would count first.
 */
export function parameters(query: string, body: string | undefined, capped: boolean): { query: string; body?: string } {
  const inQuery = new URLSearchParams(query)
  const inBody = body === undefined ? undefined : new URLSearchParams(body)
  if (capped) {
    const wanted = parseDuration((inBody?.get("timeout") ?? inQuery.get("timeout") ?? "").trim())
    inBody?.delete("timeout")
    inQuery.set("timeout", `${Math.min(wanted ?? LONGEST_QUERY, LONGEST_QUERY)}`)
  }
  return { query: inQuery.toString(), ...(inBody && { body: inBody.toString() }) }
}
