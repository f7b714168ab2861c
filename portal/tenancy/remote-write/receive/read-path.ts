import type { IncomingHttpHeaders } from "node:http"

/** What a GET at a path gets. */
export type ReadPath = "metrics" | "healthy" | "ready" | "write" | "up"

const PATHS: ReadonlyMap<string, ReadPath> = new Map([
  ["/metrics", "metrics"],
  ["/-/healthy", "healthy"],
  ["/healthz", "healthy"],
  ["/livez", "healthy"],
  ["/-/ready", "ready"],
  ["/readyz", "ready"],
])

/** Paths at which Prometheus, Cortex, Mimir, Thanos and cortex-tenant receive: a GET there is a mistake to be told of. */
const WRITES = /\/(?:push|write|receive)\/?$/

/**
 * Everything else is `up`, as of the original: load balancers may be set up so, and so are senders that first look whether
 * the path responds, as Vector does with the headers of a write.
 */
export function readPath(target: string, headers: IncomingHttpHeaders): ReadPath {
  const path = target.replace(/^https?:\/\/[^/?]*/i, "").split("?", 1)[0] ?? ""
  const isHealthCheck = headers["x-prometheus-remote-write-version"] !== undefined
  return PATHS.get(path) ?? (WRITES.test(path) && !isHealthCheck ? "write" : "up")
}
