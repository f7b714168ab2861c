import { Counter, Gauge, Histogram, type Registry } from "prom-client"
import type { LeaseHolder } from "#core/kubernetes/lease.ts"
import type { ResourceSource } from "./resources/source.ts"
import type { UpdaterObserver } from "./updater/updater.ts"

const PREFIX = "fedstack_rules_informer"

export type InformerMetrics = ReturnType<typeof createInformerMetrics>

/** The original's families of the updater, `open_metrics_informer_…`, and what it does not show. */
export function createInformerMetrics(registry: Registry) {
  const registers = [registry]
  const counter = <Label extends string>(name: string, help: string, labelNames: readonly Label[] = []) =>
    new Counter<Label>({ name, help, labelNames, registers })
  const gauge = <Label extends string>(name: string, help: string, labelNames: readonly Label[] = []) =>
    new Gauge<Label>({ name: `${PREFIX}_${name}`, help, labelNames, registers })

  const rules = counter("open_metrics_informer_updater_rules", "Groups written to rulers, by tenant.", ["tenant_id"])
  const tenants = counter(
    "open_metrics_informer_updater_tenants",
    "Comparisons with a ruler that found groups to write, by tenant.",
    ["tenant_id"],
  )
  const writes = counter(`${PREFIX}_writes_total`, "Groups created, updated and deleted at rulers, by result.", [
    ...(["ruler", "operation", "result"] as const),
  ])
  const cycles = counter(`${PREFIX}_comparisons_total`, "Comparisons of a tenant with a ruler, by result.", [
    ...(["ruler", "result"] as const),
  ])
  const duration = new Histogram({
    name: `${PREFIX}_comparison_duration_seconds`,
    help: "From the begin of a comparison until what it found was written.",
    labelNames: ["ruler"],
    buckets: [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300],
    registers,
  })
  const lastSuccess = gauge(
    "last_success_timestamp_seconds",
    "When the replica that writes last compared a tenant with a ruler and nothing failed; 0: never yet.",
    ["ruler", "tenant_id"],
  )
  const desired = gauge("rules", "Rules that a ruler should hold, by tenant.", ["ruler", "tenant_id"])
  const unsyncedGroups = gauge("unsynced_groups", "Groups that are not written or not deleted, by reason.", [
    ...(["ruler", "tenant_id", "reason"] as const),
  ])
  const interval = gauge("interval_seconds", "Seconds between two comparisons of a tenant; 0: the updater is off.")
  const statusWrites = counter(`${PREFIX}_resource_writes_total`, "Writes to resources, by what is written.", ["what"])
  for (const what of ["status", "finalizer"]) statusWrites.inc({ what }, 0)
  const conflicts = counter(
    `${PREFIX}_resource_conflicts_total`,
    "Writes to resources that were repeated because another client had changed them.",
  )
  const abandoned = counter(
    `${PREFIX}_abandoned_groups_total`,
    "Groups that stay at rulers because their resource was let go without them.",
  )

  return {
    wrote: (what: string) => statusWrites.inc({ what }),
    conflicted: () => conflicts.inc(),
    abandoned: (count: number) => abandoned.inc(count),
    /** `now` in seconds since 1970, `resync` in seconds. */
    updater(now: () => number, resync: number): UpdaterObserver {
      interval.set(resync)
      const shown = new Map<string, ReadonlySet<string>>()
      const succeeded = new Set<string>()
      const forget = (ruler: string, tenant: string): void => {
        for (const reason of shown.get(`${tenant} ${ruler}`) ?? [])
          unsyncedGroups.remove({ ruler, tenant_id: tenant, reason })
        shown.delete(`${tenant} ${ruler}`)
      }
      return {
        planned({ tenant, creates, updates }) {
          if (creates.length + updates.length > 0) tenants.inc({ tenant_id: tenant })
        },
        wrote({ ruler, tenant }, operation, result) {
          writes.inc({ ruler, operation, result })
          if (operation !== "delete" && result === "ok") rules.inc({ tenant_id: tenant })
        },
        cycle({ ruler, tenant }, { seconds, fault, rules: count, unsynced }) {
          cycles.inc({ ruler, result: fault === undefined ? "ok" : "failed" })
          duration.observe({ ruler }, seconds)
          if (fault === undefined) succeeded.add(`${tenant} ${ruler}`)
          if (fault === undefined) lastSuccess.set({ ruler, tenant_id: tenant }, now())
          else if (!succeeded.has(`${tenant} ${ruler}`)) lastSuccess.set({ ruler, tenant_id: tenant }, 0)
          forget(ruler, tenant)
          const byReason = Map.groupBy(unsynced, ({ reason }) => reason)
          shown.set(`${tenant} ${ruler}`, new Set(byReason.keys()))
          for (const [reason, all] of byReason) unsyncedGroups.set({ ruler, tenant_id: tenant, reason }, all.length)
          if (count !== undefined) desired.set({ ruler, tenant_id: tenant }, count)
        },
        gone({ ruler, tenant }) {
          forget(ruler, tenant)
          succeeded.delete(`${tenant} ${ruler}`)
          for (const one of [lastSuccess, desired]) one.remove({ ruler, tenant_id: tenant })
        },
      }
    },
    /** Shows what is read when metrics are collected. */
    watch(source: ResourceSource, lease: Pick<LeaseHolder, "isHeld">, notReady: () => string | undefined): void {
      const read = <Label extends string>(
        name: string,
        help: string,
        labelNames: readonly Label[],
        values: () => Iterable<readonly [Readonly<Record<Label, string>>, number]>,
      ): void => {
        const shown = new Gauge<Label>({
          name: `${PREFIX}_${name}`,
          ...{ help, labelNames, registers },
          collect() {
            shown.reset()
            for (const [labels, value] of values()) shown.set(labels, value)
          },
        })
      }
      const conditions = ["condition", "status"] as const
      read("resources", "Resources by the status of their conditions.", conditions, () => {
        const counts = new Map<string, readonly [{ condition: string; status: string }, number]>()
        for (const condition of ["Accepted", "Synced"])
          for (const status of ["True", "False", "Unknown"]) counts.set(condition + status, [{ condition, status }, 0])
        for (const { status } of source.snapshot().resources.values())
          for (const condition of ["Accepted", "Synced"]) {
            const found = Array.isArray(status?.conditions)
              ? status.conditions.find(({ type }) => type === condition)
              : undefined
            const [labels, count] = counts.get(condition + (found?.status ?? "Unknown")) ?? []
            if (labels !== undefined && count !== undefined) counts.set(condition + labels.status, [labels, count + 1])
          }
        return counts.values()
      })
      const unreadable = "Namespaces whose resources cannot be read now; all of them count as one."
      read("unreadable_namespaces", unreadable, [], () => [[{}, source.snapshot().incomplete.size]])
      read("lease_held", "1 on the replica that writes.", [], () => [[{}, lease.isHeld() ? 1 : 0]])
      read("ready", "1 while /-/ready responds 200.", [], () => [[{}, notReady() === undefined ? 1 : 0]])
    },
  }
}
