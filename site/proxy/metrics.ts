import { Counter, Gauge, Histogram, type Registry } from "prom-client"
import { createRegistry } from "#core/metrics/registry.ts"
import type { CachedRequest, ResponseCache } from "#core/response-cache/cache.ts"
import type { Policy } from "./policy/types.ts"
import { showUpstream, type UpstreamHealth } from "./upstream/health.ts"

export interface ProxyMetrics {
  readonly registry: Registry
  readonly upstreamDuration: Histogram
  readonly upstreamFailures: Counter<"reason">
  /** Its metrics, made when they are first needed. The name is empty for those that are not authenticated. */
  client(name: string): ClientMetrics
  /** Ends the series of all other clients: of those that have requests in flight, when these are over. */
  keep(names: ReadonlySet<string>): void
  /** Shows what is read when metrics are collected. */
  watch(cache: ResponseCache<CachedRequest>, health: UpstreamHealth): void
  showExpiry(policy: Policy): void
}

/** How a request ended. */
export interface FinishedRequest {
  readonly code: number
  readonly reason: string
  readonly seconds: number
  readonly bytes: number
  readonly series: number | undefined
  readonly source: string | undefined
}

export interface ClientMetrics {
  /** A request is in flight, until `leave` is called. */
  enter(): void
  leave(): void
  /** Counts a request of which nothing else is known. */
  count(code: number, reason: string): void
  finish(request: FinishedRequest): void
}

const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

/** Label values are bounded: clients of the policy, HTTP statuses, codes of errors and endings of request-record.ts. */
export function createProxyMetrics(): ProxyMetrics {
  const registry = createRegistry({ busy: true })
  const registers = [registry]
  const families = createFamilies(registry)
  const clients = new Map<string, OneClient>()
  let kept: ReadonlySet<string> = new Set()
  const endUnlessNeeded = (client: OneClient): void => {
    if (client.name === "" || kept.has(client.name) || client.inFlight > 0) return
    client.remove()
    clients.delete(client.name)
  }
  const expiry = new Gauge({
    name: "fedstack_proxy_credential_expiry_timestamp_seconds",
    help: "When a token of the policy expires; +Inf: never.",
    labelNames: ["client", "credential"],
    registers,
  })
  return {
    registry,
    client(name) {
      let client = clients.get(name)
      if (client === undefined) clients.set(name, (client = createClientMetrics(name, families, endUnlessNeeded)))
      return client
    },
    keep(names) {
      kept = names
      for (const client of clients.values()) endUnlessNeeded(client)
    },
    watch: (cache, health) => watch(registers, cache, health),
    showExpiry({ tokens }) {
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

/** Of all clients. */
function createFamilies(registry: Registry) {
  const ofClients = { labelNames: ["client"] as const, registers: [registry] }
  return {
    inFlight: new Gauge({ ...ofClients, name: "fedstack_proxy_requests_in_flight", help: "Requests in flight." }),
    requests: new Counter({
      ...ofClients,
      name: "fedstack_proxy_requests_total",
      help: "Requests by client (empty: not authenticated), status sent, and why.",
      labelNames: ["client", "code", "reason"],
    }),
    duration: new Histogram({
      ...ofClients,
      name: "fedstack_proxy_request_duration_seconds",
      help: "From the request to the last byte of the response.",
      buckets: BUCKETS,
    }),
    bytes: new Counter({
      ...ofClients,
      name: "fedstack_proxy_response_bytes_total",
      help: "Bytes of federated responses as sent, mostly compressed.",
    }),
    series: new Counter({
      ...ofClients,
      name: "fedstack_proxy_response_series_total",
      help: "Series of federated responses that were sent whole.",
    }),
    responses: new Counter({
      ...ofClients,
      name: "fedstack_proxy_responses_total",
      help: "Federated responses by source: a request upstream, joined with one in flight, or reused.",
      labelNames: ["client", "source"],
    }),
  }
}

interface OneClient extends ClientMetrics {
  readonly name: string
  readonly inFlight: number
  remove(): void
}

/** Without label objects to be made and hashed for every request. */
function createClientMetrics(
  name: string,
  families: ReturnType<typeof createFamilies>,
  finished: (client: OneClient) => void,
): OneClient {
  const shown = families.inFlight.labels(name)
  const duration = families.duration.labels(name)
  const bytes = families.bytes.labels(name)
  const series = families.series.labels(name)
  let inFlight = 0
  const counters = new Map<string, { inc(): void; remove(): void }>()
  const inc = <L extends string>(counter: Counter<L>, key: string, labels: Record<L, string | number>): void => {
    let own = counters.get(key)
    if (own === undefined) {
      const labelled = counter.labels(labels)
      own = { inc: () => labelled.inc(), remove: () => counter.remove(labels) }
      counters.set(key, own)
    }
    own.inc()
  }
  return {
    name,
    get inFlight() {
      return inFlight
    },
    enter: () => shown.set(++inFlight),
    leave: () => shown.set(--inFlight),
    count: (code, reason) => inc(families.requests, `${code} ${reason}`, { client: name, code, reason }),
    finish(request) {
      this.count(request.code, request.reason)
      duration.observe(request.seconds)
      if (name !== "") bytes.inc(request.bytes)
      if (request.series !== undefined) series.inc(request.series)
      if (request.source !== undefined)
        inc(families.responses, request.source, { client: name, source: request.source })
      finished(this)
    },
    remove() {
      for (const metric of [families.inFlight, families.duration, families.bytes, families.series]) metric.remove(name)
      for (const counter of counters.values()) counter.remove()
    },
  }
}

function watch(registers: Registry[], cache: ResponseCache<CachedRequest>, health: UpstreamHealth): void {
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
  gauge("fedstack_proxy_store_bytes", "Bytes of responses that are stored or in flight.", () => cache.memory.used)
  gauge("fedstack_proxy_store_entries", "Responses that are stored or in flight.", () => cache.entries)
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
