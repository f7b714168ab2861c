import { Counter, Gauge, Histogram } from "prom-client"
import { createRegistry } from "#core/metrics/registry.ts"
import type { ResponseCache } from "#core/response-cache/cache.ts"
import { ClientMetrics, showClients } from "./client-metrics.ts"
import type { Decider } from "#core/promql/decider.ts"
import type { Policy } from "./policy/types.ts"
import { showUpstream, type UpstreamHealth } from "./upstream/health.ts"

export type ProxyMetrics = ReturnType<typeof createProxyMetrics>

const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

export function createProxyMetrics() {
  const registry = createRegistry({ busy: true })
  const registers = [registry]
  const clients = new Map<string, ClientMetrics>()
  let kept: ReadonlySet<string> = new Set()
  const endUnlessNeeded = ({ name, inFlight = 0 }: ClientMetrics): void => {
    if (name === "" || kept.has(name) || inFlight > 0) return
    duration.remove(name)
    clients.delete(name)
  }
  const duration = new Histogram({
    name: "fedstack_proxy_request_duration_seconds",
    help: "From the request to the last byte of the response.",
    buckets: BUCKETS,
    labelNames: ["client"],
    registers,
  })
  showClients(registry, clients)
  const expiry = new Gauge({
    name: "fedstack_proxy_credential_expiry_timestamp_seconds",
    help: "When a token of the policy expires; +Inf: never.",
    labelNames: ["client", "credential"],
    registers,
  })
  const gauge = (name: string, help: string, labelNames: string[], collect: (shown: Gauge) => void): Gauge =>
    new Gauge({
      name,
      help,
      labelNames,
      registers,
      collect() {
        this.reset()
        collect(this)
      },
    })
  return {
    registry,
    /** Its metrics, made when they are first needed. The name is empty for those that are not authenticated. */
    client(name: string): ClientMetrics {
      let client = clients.get(name)
      if (client === undefined) clients.set(name, (client = new ClientMetrics(name, duration, endUnlessNeeded)))
      return client
    },
    /** Ends the series of all other clients: of those that have requests in flight, when these are over. */
    keep(names: ReadonlySet<string>): void {
      kept = names
      for (const client of clients.values()) endUnlessNeeded(client)
    },
    /** Shows what is read when metrics are collected. */
    watch(
      cache: Pick<ResponseCache, "memory" | "entries">,
      health: UpstreamHealth,
      { failures }: Pick<Decider, "failures">,
    ): void {
      gauge(
        "fedstack_proxy_store_bytes",
        "Bytes of responses that are stored or in flight, with their keys.",
        [],
        (shown) => shown.set(cache.memory.used),
      )
      gauge("fedstack_proxy_store_entries", "Responses that are stored or in flight.", [], (shown) =>
        shown.set(cache.entries),
      )
      const starts = new Counter({
        name: "fedstack_proxy_decider_start_failures_total",
        help: "How often the thread could not be started that decides about selectors which take long.",
        registers,
        collect() {
          starts.reset()
          starts.inc(failures())
        },
      })
      const help = "Whether the last request could reach this Prometheus and found it ready."
      gauge("fedstack_proxy_upstream_up", help, ["upstream"], (shown) => {
        for (const [href, isUp] of health.states()) shown.set({ upstream: showUpstream(new URL(href)) }, isUp ? 1 : 0)
      })
    },
    showExpiry({ tokens }: Policy): void {
      expiry.reset()
      for (const { owner, where, notAfter } of tokens) {
        const end = notAfter === undefined ? Infinity : notAfter.getTime() / 1000
        expiry.set({ client: owner.name, credential: where }, end)
      }
    },
    upstreamDuration: new Histogram({
      name: "fedstack_proxy_upstream_request_duration_seconds",
      help: "From the request to Prometheus until its response began or failed.",
      buckets: BUCKETS,
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
