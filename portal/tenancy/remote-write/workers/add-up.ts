import { AggregatorRegistry, type Registry } from "prom-client"

interface MetricJson {
  readonly name: string
  readonly type: string
  readonly aggregator?: string
}

/** Gauges of what a worker has; of all others each worker has the same, and the smallest tells where one has not. */
const OF_EACH = /_(?:in_flight|waiting|waiting_bytes)$/

/** The metrics of all workers in one. */
export function addUp(all: readonly (readonly object[])[]): Registry {
  const metrics = (all as readonly (readonly MetricJson[])[]).map((ofOne) =>
    ofOne.map((metric) =>
      metric.type === "gauge" ? { ...metric, aggregator: OF_EACH.test(metric.name) ? "sum" : "min" } : metric,
    ),
  )
  return AggregatorRegistry.aggregate(metrics)
}
