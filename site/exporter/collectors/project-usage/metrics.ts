import { Counter, Gauge, type Registry } from "prom-client"
import { FedstackError } from "#core/errors.ts"
import type { Labels } from "#core/metrics/exposition.ts"
import type { Observations } from "./cloud.ts"
import { ServiceError } from "./openstack/errors.ts"

export type UsageMetrics = ReturnType<typeof createUsageMetrics>

/** Whether each cloud could be read, and what showed in it. `names` are those of the labels that distinguish clouds. */
export function createUsageMetrics(registry: Registry, names: readonly string[]) {
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
  const untaggedServers = gauge("untagged_servers", "Servers of the pool that are left out because they have no tag.")
  const repeatedServers = gauge("repeated_servers", "Servers that the cloud listed more than once; each counts once.")
  const failures = new Counter({
    name: "fedstack_project_usage_cloud_failures_total",
    help: "Updates in which the cloud could not be read, by the reason.",
    labelNames: [...labelNames, "reason"],
    registers,
  })
  return {
    /** `at` in seconds of Unix time. */
    succeeded(cloud: Labels, at: number, { clockLead, untagged, repeated }: Observations): void {
      up.set(cloud, 1)
      lastSuccess.set(cloud, at)
      for (const [one, value] of [
        [lead, clockLead],
        [untaggedServers, untagged],
        [repeatedServers, repeated],
      ] as const)
        if (value === undefined) one.remove(cloud)
        else one.set(cloud, value)
    },
    failed(cloud: Labels, error: unknown): void {
      up.set(cloud, 0)
      failures.inc({ ...cloud, reason: reasonOf(error) })
    },
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof ServiceError) return error.reason
  return error instanceof FedstackError ? error.code.toLowerCase() : "unexpected"
}
