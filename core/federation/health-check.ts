import type { IncomingMessage, ServerResponse } from "node:http"
import { Counter, type Registry } from "prom-client"

/** In one spelling each, without a query. Compared, not looked up: a target may have 256 KiB, which a set would hash. */
const isHealthCheck = (url: string | undefined): boolean => url === "/-/healthy" || url === "/-/ready"
const METHODS: ReadonlySet<string | undefined> = new Set(["GET", "HEAD", "OPTIONS"])
const HEADERS = ["content-length", "0"]

/** Responds to a request that is a health check; false where it is another one. */
export type AnswerHealthCheck = (request: IncomingMessage, response: ServerResponse) => boolean

/**
 * For load balancers, without a token: whether this server serves. Nothing else stands in the response, and it does not
 * depend on the source, of which an unauthenticated client learns nothing. It is neither logged nor throttled, since those
 * who send it share the address of the load balancer.
 */
export function createHealthCheck(registry: Registry, prefix: string): AnswerHealthCheck {
  const checks = new Counter({
    name: `${prefix}_health_checks_total`,
    help: "Health checks of load balancers on the address for clients.",
    registers: [registry],
  })
  return ({ method, url, headers }, response) => {
    if (!isHealthCheck(url) || !METHODS.has(method)) return false
    if (headers["transfer-encoding"] !== undefined || (headers["content-length"] ?? "0") !== "0") return false
    checks.inc()
    response.writeHead(200, HEADERS).end()
    return true
  }
}
