import { Counter, Gauge, Histogram, type Registry } from "prom-client"
import { createRegistry } from "#core/metrics/registry.ts"
import type { CachedRequest, ResponseCache } from "#core/response-cache/cache.ts"
import type { Policy } from "./policy/types.ts"
import { showUpstream, type UpstreamHealth } from "./upstream/health.ts"

export interface ProxyMetrics {
  readonly registry: Registry
  readonly upstreamDuration: Histogram
  readonly upstreamFailures: Counter<"reason">
  readonly credentialExpiry: Gauge<"client" | "credential">
  /** Its metrics, made when it is first needed. The name is empty for those who are not authenticated. */
  client(name: string): ClientMetrics
  /** Ends the series of all other clients: of those that have requests under way, when these are over. */
  keep(names: ReadonlySet<string>): void
  /** Shows what is read when it is asked for. */
  watch(cache: ResponseCache<CachedRequest>, health: UpstreamHealth): void
  showExpiry(policy: Policy): void
}

/** Of one client, without label objects to be made and hashed for every request. */
export interface ClientMetrics {
  readonly inFlight: { inc(): void; dec(): void }
  readonly duration: { observe(seconds: number): void }
  count(code: number, reason: string): void
  readonly bytes: { inc(value: number): void }
  readonly series: { inc(value: number): void }
  readonly responses: (source: string) => void
  readonly underWay: number
  remove(): void
}

const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

/** Label values are bounded: clients of the policy, HTTP statuses, codes of errors.ts and endings of exchange.ts. */
export function createProxyMetrics(): ProxyMetrics {
  const registry = createRegistry({ busy: true })
  const registers = [registry]
  const ofClients = createClientMetrics(registry)
  const clients = new Map<string, ClientMetrics>()
  let kept: ReadonlySet<string> = new Set()
  const isKept = (name: string): boolean => name === "" || kept.has(name)
  function endUnlessNeeded(name: string): void {
    const metrics = clients.get(name)
    if (metrics === undefined || isKept(name) || metrics.underWay > 0) return
    metrics.remove()
    clients.delete(name)
  }
  return {
    registry,
    client(name) {
      const known = clients.get(name)
      if (known !== undefined) return known
      const made = ofClients(name, () => {
        // not at once: the rest of this request is still to be counted
        if (!isKept(name)) queueMicrotask(() => endUnlessNeeded(name))
      })
      clients.set(name, made)
      return made
    },
    keep(names) {
      kept = names
      for (const name of clients.keys()) endUnlessNeeded(name)
    },
    watch: (cache, health) => watch(registry, cache, health),
    credentialExpiry: new Gauge({
      name: "fedstack_proxy_credential_expiry_timestamp_seconds",
      help: "When a token of the policy ends; +Inf: never.",
      labelNames: ["client", "credential"],
      registers,
    }),
    showExpiry({ tokens }) {
      this.credentialExpiry.reset()
      for (const { owner, where, notAfter } of tokens) {
        const end = notAfter === undefined ? Infinity : notAfter.getTime() / 1000
        this.credentialExpiry.set({ client: owner.name, credential: where }, end)
      }
    },
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
  }
}

/** `counted` is called with each request that is over. */
function createClientMetrics(registry: Registry): (client: string, counted: () => void) => ClientMetrics {
  const registers = [registry]
  const labelNames = ["client"] as const
  const inFlight = new Gauge({
    name: "fedstack_proxy_requests_in_flight",
    help: "Requests that are being answered.",
    labelNames,
    registers,
  })
  const requests = new Counter({
    name: "fedstack_proxy_requests_total",
    help: "Requests by client (empty: not authenticated), status sent, and why.",
    labelNames: ["client", "code", "reason"],
    registers,
  })
  const duration = new Histogram({
    name: "fedstack_proxy_request_duration_seconds",
    help: "From the request to the last byte of the answer.",
    buckets: BUCKETS,
    labelNames,
    registers,
  })
  const bytes = new Counter({
    name: "fedstack_proxy_response_bytes_total",
    help: "Bytes of federated answers as sent, mostly compressed.",
    labelNames,
    registers,
  })
  const series = new Counter({
    name: "fedstack_proxy_response_series_total",
    help: "Series of federated answers that were sent whole.",
    labelNames,
    registers,
  })
  const answers = new Counter({
    name: "fedstack_proxy_answers_total",
    help: "How answers were come by: a request upstream, joined with one under way, or reused.",
    labelNames: ["client", "source"],
    registers,
  })
  return (client, counted) => {
    const shown = inFlight.labels({ client })
    let underWay = 0
    const codes = new Map<string, { inc(): void; remove(): void }>()
    const sources = new Map<string, { inc(): void; remove(): void }>()
    return {
      inFlight: {
        inc() {
          underWay++
          shown.inc()
        },
        dec() {
          underWay--
          shown.dec()
        },
      },
      get underWay() {
        return underWay
      },
      duration: duration.labels({ client }),
      bytes: bytes.labels({ client }),
      series: series.labels({ client }),
      responses(source) {
        let child = sources.get(source)
        if (child === undefined) {
          const labelled = answers.labels({ client, source })
          child = { inc: () => labelled.inc(), remove: () => answers.remove({ client, source }) }
          sources.set(source, child)
        }
        child.inc()
      },
      count(code, reason) {
        const key = `${code} ${reason}`
        let child = codes.get(key)
        if (child === undefined) {
          const labelled = requests.labels({ client, code, reason })
          child = { inc: () => labelled.inc(), remove: () => requests.remove({ client, code, reason }) }
          codes.set(key, child)
        }
        child.inc()
        counted()
      },
      remove() {
        for (const metric of [inFlight, duration, bytes, series]) metric.remove({ client })
        for (const child of [...codes.values(), ...sources.values()]) child.remove()
      },
    }
  }
}

function watch(registry: Registry, cache: ResponseCache<CachedRequest>, health: UpstreamHealth): void {
  const registers = [registry]
  const gauge = (name: string, help: string, read: () => number): void => {
    // oxlint-disable-next-line no-new -- it registers itself
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read())
      },
    })
  }
  gauge("fedstack_proxy_store_bytes", "Bytes of answers that are stored or under way.", () => cache.memory.used)
  gauge("fedstack_proxy_store_entries", "Answers that are stored or under way.", () => cache.entries)
  // oxlint-disable-next-line no-new -- it registers itself
  new Gauge({
    name: "fedstack_proxy_upstream_up",
    help: "Whether the last request could reach this Prometheus and found it ready.",
    labelNames: ["upstream"],
    registers,
    collect() {
      this.reset()
      for (const [href, up] of health.states()) this.set({ upstream: showUpstream(new URL(href)) }, up ? 1 : 0)
    },
  })
}
