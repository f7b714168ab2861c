import { Counter, Gauge, Histogram, type Registry } from "prom-client"
import { FedstackError } from "#core/errors.ts"
import type { Labels } from "#core/exposition.ts"

/** How the exporter fares with each of its clouds. */
export interface UsageMetrics {
  succeeded(cloud: Labels, at: number): void
  failed(cloud: Labels, error: unknown): void
  clock(cloud: Labels, lead: number | undefined): void
  /** Of the pool, servers that belong to nobody because they have no tag. */
  untagged(cloud: Labels, servers: number): void
  /** Servers that a cloud listed more than once. */
  twice(cloud: Labels, servers: number): void
  /** One request; seconds. */
  request(cloud: Labels, service: string, outcome: "answered" | "failed", seconds: number): void
}

/** `names` are those of the labels that tell clouds apart. */
export function createUsageMetrics(registry: Registry, names: readonly string[]): UsageMetrics {
  const labelNames = [...names]
  const registers = [registry]
  const gauge = (name: string, help: string) => {
    const created = new Gauge({ name: `fedstack_project_usage_${name}`, help, labelNames, registers })
    if (labelNames.length === 0) created.remove() // no value before there is one
    return created
  }
  const up = gauge("cloud_up", "1 if everything could be read from the cloud in the last update, 0 if not.")
  const lastSuccess = gauge(
    "cloud_last_success_timestamp_seconds",
    "When the update began whose usage of the cloud is served, in Unix time.",
  )
  const lead = gauge("clock_lead_seconds", "How far the cloud's clock is ahead of the exporter's, to about a second.")
  const untagged = gauge("untagged_servers", "Servers of the pool that are left out because they have no tag.")
  const twice = gauge("repeated_servers", "Servers that the cloud listed more than once; each counts once.")
  const failures = new Counter({
    name: "fedstack_project_usage_cloud_failures_total",
    help: "Updates in which the cloud could not be read, by the reason's code.",
    labelNames: [...labelNames, "reason"],
    registers,
  })
  const duration = new Histogram({
    name: "fedstack_project_usage_request_duration_seconds",
    help: "How long requests to the cloud's services took.",
    labelNames: [...labelNames, "service", "outcome"],
    buckets: [0.1, 0.3, 1, 3, 10, 30],
    registers,
  })
  return {
    succeeded(cloud, at) {
      up.set(cloud, 1)
      lastSuccess.set(cloud, at)
    },
    failed(cloud, error) {
      up.set(cloud, 0)
      failures.inc({ ...cloud, reason: reasonOf(error) })
    },
    clock(cloud, value) {
      if (value === undefined) lead.remove(cloud)
      else lead.set(cloud, value)
    },
    untagged: (cloud, servers) => untagged.set(cloud, servers),
    twice: (cloud, servers) => twice.set(cloud, servers),
    request: (cloud, service, outcome, seconds) => duration.observe({ ...cloud, service, outcome }, seconds),
  }
}

/** The code of the outermost error that has one. */
function reasonOf(error: unknown): string {
  for (let inner = error; inner instanceof Error; inner = inner.cause)
    if (inner instanceof FedstackError) return inner.code.toLowerCase()
  return "unexpected"
}
