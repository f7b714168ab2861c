import { Counter, Gauge, Histogram, type Registry } from "prom-client"
import type { LeaseHolder } from "#core/kubernetes/lease.ts"
import type { ResourceSource } from "./resources/source.ts"
import { OTHERS, type TenantNames } from "./tenant-names.ts"
import type { UpdaterObserver } from "./updater/updater.ts"

const PREFIX = "fedstack_rules_informer"

/** Of a tenant at a ruler. */
interface PlaceNumbers {
  readonly ruler: string
  readonly tenant: string
  /** Seconds since 1970; 0: never. */
  readonly last: number
  readonly rules: number | undefined
  readonly unsynced: ReadonlyMap<string, number>
}

export type InformerMetrics = ReturnType<typeof createInformerMetrics>

/** The original's families of the updater, `open_metrics_informer_…`, and what it does not show. */
export function createInformerMetrics(registry: Registry, names: TenantNames) {
  const registers = [registry]
  const states = new Map<string, PlaceNumbers>()
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
  const interval = gauge("interval_seconds", "Seconds between two comparisons of a tenant; 0: the updater is off.")
  /** Of all tenants under one name: `merge`d. */
  const ofStates = (
    name: string,
    help: string,
    labelNames: readonly string[],
    merge: (a: number, b: number) => number,
    valuesOf: (numbers: PlaceNumbers) => Iterable<readonly [Readonly<Record<string, string>>, number]>,
  ): void => {
    const shown = new Gauge({
      ...{ name: `${PREFIX}_${name}`, help, labelNames: [...labelNames], registers },
      collect() {
        shown.reset()
        const all = new Map<string, readonly [Readonly<Record<string, string>>, number]>()
        for (const numbers of states.values())
          for (const [more, value] of valuesOf(numbers)) {
            const labels = { ruler: numbers.ruler, tenant_id: names.of(numbers.tenant), ...more }
            const key = JSON.stringify(labels)
            const [, other] = all.get(key) ?? []
            all.set(key, [labels, other === undefined ? value : merge(other, value)])
          }
        for (const [labels, value] of all.values()) shown.set(labels, value)
      },
    })
  }
  const sum = (a: number, b: number): number => a + b
  const lastSuccess =
    "When the replica that writes last compared a tenant with a ruler and nothing failed; 0: never yet. Of the others, the oldest."
  ofStates("last_success_timestamp_seconds", lastSuccess, ["ruler", "tenant_id"], Math.min, ({ last }) => [[{}, last]])
  const desired = "Rules that a ruler should hold, by tenant."
  ofStates("rules", desired, ["ruler", "tenant_id"], sum, ({ rules: count }) =>
    count === undefined ? [] : [[{}, count]],
  )
  const notDone = "Groups that are not written or not deleted, by reason."
  ofStates("unsynced_groups", notDone, ["ruler", "tenant_id", "reason"], sum, (numbers) =>
    numbers.unsynced.entries().map(([reason, count]) => [{ reason }, count] as const),
  )
  const notShown: Gauge = new Gauge({
    name: `${PREFIX}_tenants_not_shown`,
    help: `Tenants that have no series of their own and are shown together as ${OTHERS}, in which alerts cannot tell them apart.`,
    registers,
    collect(): void {
      notShown.set(names.notShown())
    },
  })
  names.onDrop((tenant) => {
    for (const one of [rules, tenants]) one.remove({ tenant_id: tenant })
  })
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
      return {
        planned({ tenant, creates, updates }) {
          if (creates.length + updates.length > 0) tenants.inc({ tenant_id: names.of(tenant) })
        },
        wrote({ ruler, tenant }, operation, result) {
          writes.inc({ ruler, operation, result })
          if (operation !== "delete" && result === "ok") rules.inc({ tenant_id: names.of(tenant) })
        },
        cycle({ ruler, tenant }, { seconds, fault, rules: count, unsynced }) {
          cycles.inc({ ruler, result: fault === undefined ? "ok" : "failed" })
          duration.observe({ ruler }, seconds)
          const before = states.get(`${tenant} ${ruler}`)
          const byReason = Map.groupBy(unsynced, ({ reason }) => reason)
          states.set(`${tenant} ${ruler}`, {
            ...{ ruler, tenant },
            last: fault === undefined ? now() : (before?.last ?? 0),
            rules: count ?? before?.rules,
            unsynced: new Map([...byReason].map(([reason, all]) => [reason, all.length])),
          })
        },
        gone({ ruler, tenant }) {
          states.delete(`${tenant} ${ruler}`)
          if (!states.values().some((one) => one.tenant === tenant)) names.leave(tenant)
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
