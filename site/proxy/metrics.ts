import { Counter, Gauge, Histogram, type Registry } from "prom-client"
import { createRegistry } from "#core/metrics.ts"

export interface ProxyMetrics {
  readonly registry: Registry
  readonly inFlight: Gauge
  readonly requests: Counter<"client" | "code" | "reason">
  readonly duration: Histogram
  readonly responseBytes: Counter<"client">
  readonly upstreamDuration: Histogram
  readonly upstreamFailures: Counter<"reason">
  readonly reloadSuccessful: Gauge
  readonly reloadTime: Gauge
}

const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

/** Label values are bounded: clients of the policy, HTTP statuses, codes of errors.ts and endings of outcome.ts. */
export function createProxyMetrics(): ProxyMetrics {
  const registry = createRegistry()
  const registers = [registry]
  return {
    registry,
    inFlight: new Gauge({
      name: "fedstack_proxy_requests_in_flight",
      help: "Requests that are being answered.",
      registers,
    }),
    requests: new Counter({
      name: "fedstack_proxy_requests_total",
      help: "Requests by client (empty: not authenticated), status sent, and why.",
      labelNames: ["client", "code", "reason"],
      registers,
    }),
    duration: new Histogram({
      name: "fedstack_proxy_request_duration_seconds",
      help: "From the request to the last byte of the answer.",
      buckets: BUCKETS,
      registers,
    }),
    responseBytes: new Counter({
      name: "fedstack_proxy_response_bytes_total",
      help: "Bytes of federated answers as sent, mostly compressed.",
      labelNames: ["client"],
      registers,
    }),
    upstreamDuration: new Histogram({
      name: "fedstack_proxy_upstream_request_duration_seconds",
      help: "From the request to Prometheus until its answer began or failed.",
      buckets: BUCKETS,
      registers,
    }),
    upstreamFailures: new Counter({
      name: "fedstack_proxy_upstream_failures_total",
      help: "Requests that Prometheus did not answer well, by reason.",
      labelNames: ["reason"],
      registers,
    }),
    reloadSuccessful: new Gauge({
      name: "fedstack_config_last_reload_successful",
      help: "1 if the configuration in force is the one on disk, 0 if that one is faulty and the old one was kept.",
      registers,
    }),
    reloadTime: new Gauge({
      name: "fedstack_config_last_reload_success_timestamp_seconds",
      help: "When the configuration in force was read.",
      registers,
    }),
  }
}
