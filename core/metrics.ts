import { readFileSync } from "node:fs"
import { collectDefaultMetrics, Gauge, Registry } from "prom-client"

export const VERSION = (
  JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { version: string }
).version

/** A component's own metrics: build information and those of the process. Nothing is registered globally. */
export function createRegistry(): Registry {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
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
