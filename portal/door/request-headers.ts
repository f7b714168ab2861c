import type { IncomingHttpHeaders } from "node:http"
import { acceptsGzip } from "#core/http/accept-encoding.ts"

/** What is passed on. Cookies, credentials, Origin, and what proxies add about a client are not. */
const PASSED = ["accept", "accept-language", "if-modified-since", "if-none-match"]

/**
 * The headers of a request to an upstream: those of the list, and of the portal's own. `plain`: the response must not be
 * compressed, because it is read here.
 */
export function requestHeaders(
  client: IncomingHttpHeaders,
  { also = [], own, plain }: { also?: readonly string[]; own: Readonly<Record<string, string>>; plain: boolean },
): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const name of [...PASSED, ...also]) {
    const value = client[name]
    if (typeof value === "string") headers[name] = value
  }
  // a cached page has the policy of another day
  if (plain) for (const name of ["if-modified-since", "if-none-match"]) delete headers[name]
  headers["accept-encoding"] = !plain && acceptsGzip(client["accept-encoding"]) ? "gzip" : "identity"
  return { ...headers, ...own }
}
