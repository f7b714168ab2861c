import { Gauge, type Registry } from "prom-client"
import { SHARD } from "../federation/shard-config.ts"
import { STATES, type Overview } from "./overview.ts"

/** The label of a shard; none where there is but one. */
export type LabelOf = (shard: string) => Readonly<Partial<Record<typeof SHARD, string>>>

export type ShardStatusMetrics = ReturnType<ReturnType<typeof statusMetrics>["of"]>

/** Why the state is unknown though Prometheus can be requested. */
const NOT_MEASURED = "push_not_measured"

/** Metrics of what the page shows. Those of sites are made when they are collected, so that none of a removed site stays. */
export function statusMetrics(registry: Registry, current: () => Overview, labelOf: LabelOf) {
  const state = new Gauge({
    name: "fedstack_portal_site_state",
    help: "1 for the state that each site is in, 0 for the others; unknown while Prometheus cannot be requested.",
    labelNames: ["site", SHARD, "state"],
    registers: [],
    collect() {
      this.reset()
      for (const site of current().sites)
        for (const one of STATES)
          this.set({ site: site.name, ...labelOf(site.shard), state: one }, one === site.state ? 1 : 0)
    },
  })
  const cause = new Gauge({
    name: "fedstack_portal_site_cause",
    help: "1 for the cause of a site's state, of a fixed list; no series where there is none, or Prometheus cannot be requested.",
    labelNames: ["site", SHARD, "cause"],
    registers: [],
    collect() {
      this.reset()
      for (const site of current().sites)
        if (site.cause !== null && (site.state !== "unknown" || site.cause === NOT_MEASURED))
          this.set({ site: site.name, ...labelOf(site.shard), cause: site.cause }, 1)
    },
  })
  for (const metric of [state, cause]) registry.registerMetric(metric)
  const gauge = (name: string, help: string) => new Gauge({ name, help, labelNames: [SHARD], registers: [registry] })
  const lastSuccess = gauge(
    "fedstack_portal_status_last_success_timestamp_seconds",
    "When Prometheus last said how the sites are, in Unix time; 0 where it never did.",
  )
  const duration = gauge(
    "fedstack_portal_status_poll_duration_seconds",
    "How long the last successful poll of Prometheus took.",
  )
  return {
    of(shard: string) {
      const label = labelOf(shard)
      const set = (metric: typeof duration) => {
        metric.set(label, 0)
        return { set: (value: number) => metric.set(label, value) }
      }
      return { lastSuccess: set(lastSuccess), duration: set(duration) }
    },
  }
}

/** Each of several Prometheus sees by it whether the others run. Its label is another one: the series is no shard's own. */
export function respondsMetric(
  registry: Registry,
  shards: readonly { readonly name: string; readonly named: boolean }[],
  responds: (shard: string) => boolean,
): void {
  const named = shards.filter((shard) => shard.named)
  if (named.length === 0) return
  const metric = new Gauge({
    name: "fedstack_portal_prometheus_responds",
    help: "1 where each Prometheus of --prometheus.shard says how its sites are, 0 where it does not respond.",
    labelNames: ["prometheus"],
    registers: [],
    collect() {
      for (const { name } of named) this.set({ prometheus: name }, Number(responds(name)))
    },
  })
  registry.registerMetric(metric)
}
