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
  const clients = new Map<string, OneClient>()
  const families = createFamilies(registry, () => {
    for (const client of clients.values()) client.publish()
  })
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

/** Of all clients; `collect` is called before they are read. */
function createFamilies(registry: Registry, collect: () => void) {
  const ofClients = { labelNames: ["client"] as const, registers: [registry], collect }
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
  /** Gives what was counted to the families. */
  publish(): void
  remove(): void
}

/** Counts in plain numbers, thousands of times a second: prom-client, which looks every label up, gets them when it is read. */
function createClientMetrics(
  name: string,
  families: ReturnType<typeof createFamilies>,
  finished: (client: OneClient) => void,
): OneClient {
  const tallies: { readonly add: () => void; readonly remove: () => void }[] = []
  function tally<L extends string>(metric: Pick<Counter<L>, "labels" | "remove">, labels: Record<L, string | number>) {
    const child = metric.labels(labels)
    let count: number | undefined
    tallies.push({
      add: () => {
        if (count !== undefined) child.inc(count)
        count = undefined
      },
      remove: () => metric.remove(labels),
    })
    return (value: number): void => void (count = (count ?? 0) + value)
  }
  const client = { client: name }
  const shown = tally(families.inFlight, client)
  const duration = families.duration.labels(name)
  const bytes = tally(families.bytes, client)
  const series = tally(families.series, client)
  const outcomes: { readonly code: number; readonly reason: string; readonly count: (value: number) => void }[] = []
  const sources = new Map<string, (value: number) => void>()
  let inFlight = 0
  return {
    name,
    get inFlight() {
      return inFlight
    },
    enter() {
      inFlight++
      shown(1)
    },
    leave() {
      inFlight--
      shown(-1)
    },
    count(code, reason) {
      let outcome = outcomes.find((one) => one.code === code && one.reason === reason)
      if (outcome === undefined)
        outcomes.push((outcome = { code, reason, count: tally(families.requests, { ...client, code, reason }) }))
      outcome.count(1)
    },
    finish(request) {
      const { source } = request
      this.count(request.code, request.reason)
      duration.observe(request.seconds)
      if (name !== "") bytes(request.bytes)
      if (request.series !== undefined) series(request.series)
      if (source !== undefined) {
        let count = sources.get(source)
        if (count === undefined) sources.set(source, (count = tally(families.responses, { ...client, source })))
        count(1)
      }
      finished(this)
    },
    publish() {
      for (const { add } of tallies) add()
    },
    remove() {
      families.duration.remove(name)
      for (const { remove } of tallies) remove()
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
