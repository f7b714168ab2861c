import type { IncomingHttpHeaders } from "node:http"

/** What comes back. Cookies, Server, Access-Control-*, policies of the upstream and requests for credentials do not. */
const PASSED = [
  "cache-control",
  "content-disposition",
  "content-encoding",
  "content-length",
  "content-type",
  "etag",
  "expires",
  "last-modified",
  "retry-after",
  "vary",
]

export function responseHeaders(upstream: IncomingHttpHeaders): Readonly<Record<string, string>> {
  return Object.fromEntries(
    PASSED.flatMap((name) => {
      const value = upstream[name]
      return typeof value === "string" ? [[name, value]] : []
    }),
  )
}
