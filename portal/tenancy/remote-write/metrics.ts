import { Counter, Gauge, Histogram, type Registry } from "prom-client"
import type { ForwardMetrics, ForwardQueue } from "./forward/metrics.ts"
import { KINDS } from "./message/counts.ts"
import type { Resends } from "./outcome/resends.ts"
import type { Part } from "./outcome/verdict.ts"
import type { Room } from "./receive/room.ts"
import { createShow } from "./show-numbers.ts"
import { REJECTION_KINDS } from "./split/rejections.ts"
import type { Split } from "./split/slice.ts"
import { createTenantTable } from "./tenant-table.ts"

export type ProxyMetrics = ReturnType<typeof createProxyMetrics>

/** Milliseconds, of the original. */
const ORIGINAL_BUCKETS = [10, 50, 100, 250, 500, 800, 1200, 2000]
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

/** The original's families, `open_metrics_proxy_…`, and what it does not show. */
export function createProxyMetrics(registry: Registry, now: () => number = () => performance.now()) {
  const registers = [registry]
  const show = createShow(registry)
  const counter = (name: string, help: string): Counter => new Counter({ name, help, registers })
  const histogram = (name: string, help: string, buckets: number[]): Histogram =>
    new Histogram({ name, help, buckets, registers })
  const tenants = createTenantTable(now)
  const codes = new Map<number, number>()

  show("open_metrics_proxy_requests", "Requests to upstreams by tenant.", ["tenant_id"], () =>
    tenants.rows().map(([tenant, { requests }]) => [requests, tenant]),
  )
  show("open_metrics_proxy_series", "Series that upstreams accepted, by tenant.", ["tenant_id"], () =>
    tenants.rows().map(([tenant, { series }]) => [series, tenant]),
  )
  const failures = counter("open_metrics_proxy_failures", "Requests that upstreams did not accept.")
  const labels = counter("open_metrics_proxy_labels", "Labels of series in requests.")
  const perRequest = counter("open_metrics_proxy_tenants", "Tenants of requests, counted anew in each.")
  const metadata = counter("open_metrics_proxy_metadata", "Metadata of metrics that upstreams accepted.")
  const processing = histogram("open_metrics_proxy_processing_ms", "Milliseconds from a request to its response.", [
    ...ORIGINAL_BUCKETS,
  ])

  show(
    "fedstack_tenancy_proxy_requests_total",
    "Requests by status sent; 499: the sender was gone before.",
    ["code"],
    () => codes.entries().map(([code, count]) => [count, code]),
  )
  const duration = histogram(
    "fedstack_tenancy_proxy_request_duration_seconds",
    "From a request to its response.",
    BUCKETS,
  )
  const inFlight = new Gauge({
    name: "fedstack_tenancy_proxy_requests_in_flight",
    help: "Requests that are received, split or forwarded.",
    registers,
  })
  const body = counter("fedstack_tenancy_proxy_received_bytes_total", "Bytes of bodies received, compressed.")
  const decoded = counter("fedstack_tenancy_proxy_decoded_bytes_total", "Bytes of bodies received, uncompressed.")
  const received = new Counter({
    name: "fedstack_tenancy_proxy_received_elements_total",
    help: "Samples, histograms and exemplars received.",
    labelNames: ["kind"],
    registers,
  })
  for (const kind of KINDS) received.inc({ kind }, 0)
  show(
    "fedstack_tenancy_proxy_written_elements_total",
    "Samples, histograms and exemplars that upstreams wrote, by tenant.",
    ["tenant_id", "kind"],
    () => tenants.rows().flatMap(([tenant, { written }]) => KINDS.map((kind) => [written[kind], tenant, kind])),
  )
  show(
    "fedstack_tenancy_proxy_slices_total",
    "Slices of requests by tenant, and by what became of them: accepted, or why not.",
    ["tenant_id", "result"],
    () =>
      tenants
        .rows()
        .flatMap(([tenant, { results }]) => results.entries().map(([result, count]) => [count, tenant, result])),
  )
  const unclaimed = counter(
    "fedstack_tenancy_proxy_unclaimed_metadata_total",
    "Records of metadata of version 1 that were not sent, as no tenant is known to have such series.",
  )
  const rejected = new Counter({
    name: "fedstack_tenancy_proxy_rejected_series_total",
    help: "Series that were set aside and not sent, by what is wrong with them.",
    labelNames: ["reason"],
    registers,
  })
  for (const reason of REJECTION_KINDS) rejected.inc({ reason }, 0)
  const byDefault = counter(
    "fedstack_tenancy_proxy_default_tenant_series_total",
    "Series that no label gave a tenant, or none that is accepted: for the default tenants alone.",
  )
  const ignored = counter(
    "fedstack_tenancy_proxy_ignored_tenant_series_total",
    "Series with a label that counts as missing, because the tenant that it names is not in the allow list.",
  )
  const resends = counter(
    "fedstack_tenancy_proxy_resends_total",
    "Requests recognised as resent, of which only what was missing was sent.",
  )
  const givenUp = counter(
    "fedstack_tenancy_proxy_limits_given_up_total",
    "Slices that were refused because their tenant had been limited for too long.",
  )
  const upstream = histogram(
    "fedstack_tenancy_proxy_upstream_request_duration_seconds",
    "From a request to an upstream to its response.",
    BUCKETS,
  )
  const upstreamBytes = counter("fedstack_tenancy_proxy_upstream_bytes_total", "Bytes of bodies sent, compressed.")
  show(
    "fedstack_tenancy_proxy_upstream_seconds_total",
    "Seconds that requests to upstreams took, by tenant.",
    ["tenant_id"],
    () => tenants.rows().map(([tenant, { seconds }]) => [seconds, tenant]),
  )
  const shared = counter(
    "fedstack_tenancy_proxy_shared_slices_total",
    "Slices that left in one request with those of other senders.",
  )
  const unshared = counter(
    "fedstack_tenancy_proxy_unshared_slices_total",
    "Slices that were sent again by themselves because the request that they shared was refused.",
  )
  const forward: ForwardMetrics = {
    of: (tenant) => ({
      requested({ slices, bytes, seconds, failed }) {
        const numbers = tenants.of(tenant)
        numbers.requests++
        numbers.seconds += seconds
        if (slices > 1) shared.inc(slices)
        if (failed) failures.inc()
        upstream.observe(seconds)
        upstreamBytes.inc(bytes)
      },
      settled: (result, series, written) => tenants.of(tenant).settled(result, series, written),
      resent: (slices) => unshared.inc(slices),
    }),
    watch({ queues, upstreams }) {
      const ofTenants = (name: string, help: string, value: (queue: ForwardQueue) => number): void =>
        show(name, help, ["tenant_id"], function* () {
          for (const queue of queues()) if (value(queue) > 0) yield [value(queue), tenants.shownAs(queue.tenant)]
        })
      const prefix = "fedstack_tenancy_proxy"
      ofTenants(`${prefix}_upstream_requests_in_flight`, "Requests to upstreams.", (queue) => queue.inFlight)
      ofTenants(`${prefix}_slices_waiting`, "Slices that wait for a request to an upstream.", ({ waiting }) => waiting)
      ofTenants(`${prefix}_waiting_bytes`, "What they have, uncompressed.", ({ waitingBytes }) => waitingBytes)
      const up = "Whether the last request, or look, could reach this upstream and found it ready."
      show(`${prefix}_upstream_up`, up, ["upstream"], () => upstreams().map(([url, isUp]) => [isUp ? 1 : 0, url]))
    },
  }

  return {
    forward,
    inFlight,
    /** A body was received. */
    read(bytes: number, decodedBytes: number): void {
      body.inc(bytes)
      decoded.inc(decodedBytes)
    },
    /** What a request has. */
    split(split: Split): void {
      for (const kind of KINDS) if (split.received[kind] > 0) received.inc({ kind }, split.received[kind])
      if (split.rejectedSeries > 0)
        for (const reason of REJECTION_KINDS) rejected.inc({ reason }, split.rejectedKinds[reason])
      if (split.unclaimedMetadata > 0) unclaimed.inc(split.unclaimedMetadata)
      labels.inc(split.labels)
      if (split.seriesByDefault > 0) byDefault.inc(split.seriesByDefault)
      if (split.ignored.series > 0) ignored.inc(split.ignored.series)
    },
    /** All slices of a request are delivered, or known not to be. */
    delivered(parts: readonly Part[]): void {
      const fresh = parts.filter(({ remembered }) => !remembered)
      if (fresh.length < parts.length) resends.inc()
      perRequest.inc(new Set(parts.map(({ slice }) => slice.tenant)).size)
      for (const { slice, verdict, givenUpAfter } of fresh) {
        if (verdict === "accepted") metadata.inc(slice.metadata)
        if (givenUpAfter !== undefined) givenUp.inc()
      }
    },
    finished(status: number, seconds: number): void {
      codes.set(status, (codes.get(status) ?? 0) + 1)
      processing.observe(seconds * 1000)
      duration.observe(seconds)
    },
    /** Shows what is read when metrics are collected. */
    watch(room: Pick<Room, "used">, memory: Pick<Resends, "entries" | "bytes">): void {
      const bytes = "Bytes that requests in flight take, compressed and uncompressed."
      show("fedstack_tenancy_proxy_bytes_in_flight", bytes, [], () => [[room.used]])
      const entries = "Requests of which is remembered which tenants have accepted them."
      show("fedstack_tenancy_proxy_resend_memory_entries", entries, [], () => [[memory.entries]])
      show("fedstack_tenancy_proxy_resend_memory_bytes", "What they take, about.", [], () => [[memory.bytes]])
    },
  }
}
