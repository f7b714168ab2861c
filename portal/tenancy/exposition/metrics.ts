import { Counter, Gauge, Histogram } from "prom-client"
import { createFederationMetrics, DURATION_BUCKETS } from "#core/federation/metrics.ts"
import { showUpstream, type UpstreamHealth } from "#core/http/upstream-health.ts"

export const PREFIX = "fedstack_tenancy_exposition"

export type ExpositionMetrics = ReturnType<typeof createExpositionMetrics>

export function createExpositionMetrics() {
  const federation = createFederationMetrics(PREFIX)
  const registers = [federation.registry]
  return {
    ...federation,
    /** Shows what is read when metrics are collected. */
    watchStore(health: UpstreamHealth, memory: { readonly used: number }): void {
      const shown = new Gauge({
        name: `${PREFIX}_upstream_up`,
        help: "Whether the last request could reach this store and found it ready.",
        labelNames: ["upstream"],
        registers,
        collect() {
          shown.reset()
          for (const [href, isUp] of health.states()) shown.set({ upstream: showUpstream(new URL(href)) }, isUp ? 1 : 0)
        },
      })
      const pageBytes: Gauge = new Gauge({
        name: `${PREFIX}_page_bytes`,
        help: "Memory of the pages of series that are written now.",
        registers,
        collect: () => pageBytes.set(memory.used),
      })
    },
    upstreamDuration: new Histogram({
      name: `${PREFIX}_upstream_request_duration_seconds`,
      help: "From a request to the store until its response was whole or failed.",
      buckets: DURATION_BUCKETS,
      labelNames: ["path"],
      registers,
    }),
    upstreamFailures: new Counter({
      name: `${PREFIX}_upstream_failures_total`,
      help: "Responses to clients that failed since the store sent no good one, by reason.",
      labelNames: ["reason"],
      registers,
    }),
    pages: new Counter({
      name: `${PREFIX}_pages_total`,
      help: "Pages of series that were read of the store.",
      registers,
    }),
    writerFailures: new Counter({
      name: `${PREFIX}_writer_failures_total`,
      help: "How often the thread that writes responses ended by itself.",
      registers,
    }),
    seriesRead: new Counter({
      name: `${PREFIX}_series_read_total`,
      help: "Series that were read of the store, with those that are not shown.",
      registers,
    }),
  }
}
