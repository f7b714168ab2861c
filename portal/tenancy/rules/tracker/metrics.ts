import { Counter, Gauge, type Registry } from "prom-client"
import type { TenantId } from "../../tenants/tenant.ts"
import type { TenantNames } from "../tenant-names.ts"
import type { Skipped } from "./plan.ts"

const REASONS: readonly Skipped["reason"][] = ["namespace", "name", "size", "edited", "deletion"]
const ACTIONS = ["import", "mirror", "update", "delete", "release"] as const
export type Action = (typeof ACTIONS)[number]

/** The original's families, `open_metrics_informer_tracker_…`, and what it does not show. */
export function createTrackerMetrics(registry: Registry, names: TenantNames) {
  const registers = [registry]
  const rules = new Gauge({
    name: "open_metrics_informer_tracker_rules",
    help: "Rules that the tracker has seen at the rulers, by tenant.",
    labelNames: ["tenant_id"],
    registers,
    collect() {
      rules.reset()
      for (const [tenant, count] of counts) rules.inc({ tenant_id: names.of(tenant) }, count)
    },
  })
  const tenants = new Counter({
    name: "open_metrics_informer_tracker_tenants",
    help: "Increases when the tracker sees rules of a tenant for the first time.",
    labelNames: ["tenant_id"],
    registers,
  })
  const skipped = new Gauge({
    name: "fedstack_rules_tracker_skipped",
    help: "Groups and mirrors for which the tracker did nothing in its last cycle, by reason.",
    labelNames: ["reason"],
    registers,
  })
  const writes = new Counter({
    name: "fedstack_rules_tracker_writes_total",
    help: "Resources that the tracker has written, by what it did.",
    labelNames: ["action"],
    registers,
  })
  for (const action of ACTIONS) writes.inc({ action }, 0)
  const counts = new Map<TenantId, number>()
  const seen = new Set<TenantId>()
  names.onDrop((tenant) => tenants.remove({ tenant_id: tenant }))
  return {
    writes,
    failures: new Counter({
      name: "fedstack_rules_tracker_failures_total",
      help: "Reads of the rulers and writes of resources that failed.",
      registers,
    }),
    interval: new Gauge({
      name: "fedstack_rules_tracker_interval_seconds",
      help: "Seconds from the end of a cycle of the tracker to the next one.",
      registers,
    }),
    lastSuccess: new Gauge({
      name: "fedstack_rules_tracker_last_success_timestamp_seconds",
      help: "When a cycle of the tracker last ended without a failure, in Unix time; 0: never yet.",
      registers,
    }),
    showTenant(tenant: TenantId, count: number): void {
      counts.set(tenant, count)
      if (count === 0 || seen.has(tenant)) return
      seen.add(tenant)
      tenants.inc({ tenant_id: names.of(tenant) })
    },
    showSkipped(found: readonly Skipped[]): void {
      for (const reason of REASONS) skipped.set({ reason }, found.filter((one) => one.reason === reason).length)
    },
  }
}
