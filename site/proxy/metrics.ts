import { Counter, Gauge, Histogram } from "prom-client"
import { createFederationMetrics, DURATION_BUCKETS } from "#core/federation/metrics.ts"
import { showUpstream, type UpstreamHealth } from "#core/http/upstream-health.ts"

export type ProxyMetrics = ReturnType<typeof createProxyMetrics>

export function createProxyMetrics() {
  const federation = createFederationMetrics("fedstack_proxy")
  const registers = [federation.registry]
  return {
    ...federation,
    /** Shows what is read when metrics are collected. */
    watchUpstreams(health: UpstreamHealth): void {
      const shown = new Gauge({
        name: "fedstack_proxy_upstream_up",
        help: "Whether the last request could reach this Prometheus and found it ready.",
        labelNames: ["upstream"],
        registers,
        collect() {
          shown.reset()
          for (const [href, isUp] of health.states()) shown.set({ upstream: showUpstream(new URL(href)) }, isUp ? 1 : 0)
        },
      })
    },
    upstreamDuration: new Histogram({
      name: "fedstack_proxy_upstream_request_duration_seconds",
      help: "From the request to Prometheus until its response began or failed.",
      buckets: DURATION_BUCKETS,
      registers,
    }),
    upstreamFailures: new Counter({
      name: "fedstack_proxy_upstream_failures_total",
      help: "Requests to which Prometheus sent no good response, by reason.",
      labelNames: ["reason"],
      registers,
    }),
  }
}
