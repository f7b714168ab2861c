import { hash } from "node:crypto"
import type { IncomingHttpHeaders } from "node:http"
import { acceptsGzip } from "#core/http/accept-encoding.ts"
import { printSelector, type Selector } from "#core/promql/selector.ts"
import { queryTooLong } from "../errors.ts"
import type { Policy } from "../policy/types.ts"
import type { Accesses, UpstreamAccess } from "#core/federation/upstreams/access.ts"

/** All that one request upstream depends on. Requests with one key share one response. */
export interface UpstreamRequest {
  readonly key: string
  readonly target: UpstreamTarget
  /** Raw, as upstreamQuery writes it. */
  readonly query: string
  /** What is understood of it; undefined where there was none. */
  readonly accept: string | undefined
  readonly gzip: boolean
}

/** What the requests upstream of one policy have in common. */
export interface UpstreamTarget {
  /** Differs from target to target. */
  readonly name: string
  /** Tried in order; without a slash at the end. */
  readonly upstreams: readonly URL[]
  readonly accesses: Accesses
  readonly path: string
  /** Seconds for a whole response. */
  readonly timeout: number
  /** The most that any client may have. */
  readonly bytes: number
  readonly series: number
}

/** `last`, where that was for the same query and is the same: its long key is neither made nor hashed again. */
export function upstreamRequest(
  target: UpstreamTarget,
  query: string,
  headers: {
    readonly accept?: string | undefined
    readonly "accept-encoding"?: IncomingHttpHeaders["accept-encoding"]
  },
  last?: UpstreamRequest,
): UpstreamRequest {
  const gzip = acceptsGzip(headers["accept-encoding"])
  const { accept } = headers
  if (last?.target === target && last.accept === accept && last.gzip === gzip) return last
  // no part but the last can hold a line break
  const key = `${gzip ? "gzip" : "identity"}\n${accept === undefined ? "" : `=${accept}`}\n${query}\n${target.name}`
  return { key, target, query, accept, gzip }
}

/** Prometheus accepts 1 MiB of headers with the target; added matchers can make that of a short request. */
const MOST_QUERY_BYTES = 1_000_000

/** The query of the request to Prometheus, built from what was understood, never from the client's text. Throws QUERY_TOO_LONG. */
export function upstreamQuery(selectors: readonly Selector[]): string {
  const query = selectors.map((selector) => `match%5B%5D=${encodeURIComponent(printSelector(selector))}`).join("&")
  if (query.length > MOST_QUERY_BYTES) throw queryTooLong({ bytes: query.length, limit: MOST_QUERY_BYTES })
  return query
}

/**
 * All headers of the request to Prometheus. Accept goes with what is understood of it: Prometheus 3 reads the escaping of
 * names from it, too; where there is none, none is added. The time is that of the shared request: scrapers that wait less leave earlier.
 */
export function upstreamHeaders(
  { accept, gzip, target }: UpstreamRequest,
  { authorization }: Pick<UpstreamAccess, "authorization"> = {},
): Record<string, string> {
  return {
    ...(authorization === undefined ? {} : { authorization }),
    ...(accept === undefined ? {} : { accept }),
    "accept-encoding": gzip ? "gzip" : "identity",
    "x-prometheus-scrape-timeout-seconds": String(target.timeout),
    "user-agent": "fedstack-proxy",
  }
}

/** A shared request has the time and the size that the most generous client may have; each client's own limits apply besides. */
export function targetOf({ clients, upstreams, accesses, path, reuse }: Policy): UpstreamTarget {
  const most = (limit: "upstreamTimeout" | "responseBytes" | "series"): number =>
    Math.max(...clients.map(({ limits }) => limits[limit]))
  const target = {
    upstreams,
    accesses,
    path,
    timeout: most("upstreamTimeout"),
    bytes: most("responseBytes"),
    series: most("series"),
  }
  const hrefs = upstreams.map(({ href }) => href).join(" ")
  // another user of an upstream may see other series; hashed, since a name is no place for secrets
  const secrets = [...accesses].map(([href, { authorization, tls }]) => [href, authorization, tls?.content])
  const access = secrets.length === 0 ? "" : hash("sha256", JSON.stringify(secrets))
  return { ...target, name: [path, target.timeout, target.bytes, target.series, reuse, hrefs, access].join(" ") }
}
