import { Counter, Histogram, type Registry } from "prom-client"
import type { Labels } from "#core/metrics/exposition.ts"
import type { Service } from "./api.ts"
import { type ServiceFailure, ServiceError } from "./errors.ts"

export type RequestMetrics = ReturnType<ReturnType<typeof createRequestMetrics>>

/** Metrics of requests to the services of a region with these labels, sign-ins among them; `names` are those of the labels. */
export function createRequestMetrics(registry: Registry, names: readonly string[]) {
  const requests = new Counter({
    name: "fedstack_openstack_requests_total",
    help: "Requests to an OpenStack service by their outcome: ok, or the reason of the failure.",
    labelNames: ["service", "outcome", ...names],
    registers: [registry],
  })
  const seconds = new Histogram({
    name: "fedstack_openstack_request_duration_seconds",
    help: "How long requests to an OpenStack service took.",
    labelNames: ["service", ...names],
    buckets: [0.03, 0.1, 0.3, 1, 3, 10, 30],
    registers: [registry],
  })
  return (labels: Labels) => ({
    async measure<T>(service: Service, request: () => Promise<T>): Promise<T> {
      const begin = performance.now()
      let outcome: ServiceFailure | "ok" = "ok"
      try {
        return await request()
      } catch (error) {
        outcome = error instanceof ServiceError ? error.reason : "connection"
        throw error
      } finally {
        requests.inc({ service, outcome, ...labels })
        seconds.observe({ service, ...labels }, (performance.now() - begin) / 1000)
      }
    },
  })
}
