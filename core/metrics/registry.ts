import { readFileSync } from "node:fs"
import { collectDefaultMetrics, Gauge, Registry } from "prom-client"

export const VERSION = (
  JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { version: string }
).version

/** Longer than a process runs: in milliseconds, the most that a timer takes. */
const NEVER = 2 ** 31 - 1
const DELAYS = ["min", "max", "mean", "stddev", "p50", "p90", "p99"]

/**
 * A component's own metrics: build information and those of the process. Nothing is registered globally. Percentiles of the
 * event loop's delays have the process wake up 100 times a second, which is most of what one does that waits for its
 * next collection: they are there where `busy` reports that the process serves many.
 */
export function createRegistry({ busy = false } = {}): Registry {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry, ...(!busy && { eventLoopMonitoringPrecision: NEVER }) })
  if (!busy) for (const name of DELAYS) registry.removeSingleMetric(`nodejs_eventloop_lag_${name}_seconds`)
  // gauges with the suffix of counters; their sums by type stay
  for (const kind of ["handles", "requests", "resources"]) registry.removeSingleMetric(`nodejs_active_${kind}_total`)
  new Gauge({
    name: "fedstack_build_info",
    help: "1, with the version of fedstack and of the Node that runs it.",
    labelNames: ["version", "nodeversion"],
    registers: [registry],
  }).set({ version: VERSION, nodeversion: process.versions.node }, 1)
  return registry
}
