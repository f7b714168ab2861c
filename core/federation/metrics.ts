import { Counter, Gauge, Histogram } from "prom-client"
import { createRegistry } from "#core/metrics/registry.ts"
import type { Decider } from "#core/promql/decider.ts"
import type { ResponseCache } from "#core/response-cache/cache.ts"
import type { ClientPolicy } from "./client.ts"
import { ClientMetrics, showClients } from "./client-metrics.ts"

export type FederationMetrics = ReturnType<typeof createFederationMetrics>

/** Seconds. */
export const DURATION_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

/** `prefix`: of the names, such as `fedstack_proxy`. */
export function createFederationMetrics(prefix: string) {
  const registry = createRegistry({ busy: true })
  const registers = [registry]
  const clients = new Map<string, ClientMetrics>()
  let kept: Pick<ReadonlySet<string>, "has"> = new Set()
  const endUnlessNeeded = ({ name, inFlight = 0 }: ClientMetrics): void => {
    if (name === "" || kept.has(name) || inFlight > 0) return
    duration.remove(name)
    clients.delete(name)
  }
  const duration = new Histogram({
    name: `${prefix}_request_duration_seconds`,
    help: "From the request to the last byte of the response.",
    buckets: DURATION_BUCKETS,
    labelNames: ["client"],
    registers,
  })
  showClients(registry, prefix, clients)
  const expiry = new Gauge({
    name: `${prefix}_credential_expiry_timestamp_seconds`,
    help: "When a token of the policy expires; +Inf: never.",
    labelNames: ["client", "credential"],
    registers,
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
    keep(names: Pick<ReadonlySet<string>, "has">): void {
      kept = names
      for (const client of clients.values()) endUnlessNeeded(client)
    },
    /** Shows what is read when metrics are collected. */
    watch(cache: Pick<ResponseCache, "memory" | "entries">, { failures }: Pick<Decider, "failures">): void {
      const gauge = (name: string, help: string, value: () => number): Gauge =>
        new Gauge({
          name: `${prefix}_${name}`,
          help,
          registers,
          collect() {
            this.set(value())
          },
        })
      gauge("store_bytes", "Bytes of responses that are stored or in flight, with their keys.", () => cache.memory.used)
      gauge("store_entries", "Responses that are stored or in flight.", () => cache.entries)
      const starts = new Counter({
        name: `${prefix}_decider_start_failures_total`,
        help: "How often the thread could not be started that decides about selectors which take long.",
        registers,
        collect() {
          starts.reset()
          starts.inc(failures())
        },
      })
    },
    showExpiry({ tokens }: ClientPolicy): void {
      expiry.reset()
      for (const { owner, where, notAfter } of tokens) {
        const end = notAfter === undefined ? Infinity : notAfter.getTime() / 1000
        expiry.set({ client: owner.name, credential: where }, end)
      }
    },
  }
}
