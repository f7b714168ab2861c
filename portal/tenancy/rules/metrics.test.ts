import assert from "node:assert/strict"
import { test } from "node:test"
import { createRegistry } from "#core/metrics/registry.ts"
import { createInformerMetrics } from "./metrics.ts"
import { groupOf, World } from "./updater/world.testing.ts"

test("metrics of each tenant show what is not in sync whatever was compared last, and end with the updater", async () => {
  const world = new World()
  const registry = createRegistry()
  const metrics = createInformerMetrics(registry)
  const shown = async (): Promise<readonly string[]> =>
    (await registry.metrics())
      .split("\n")
      .filter((line) => /^\w+_informer_(?:unsynced_groups|last_success_\w+|interval_seconds|rules)[{ ]/.test(line))
      .map((line) => line.replace("fedstack_rules_informer_", ""))
      .toSorted()
  world.happens = ({ what, on }) => {
    if (on.startsWith("cortex blue")) return "before"
    return what === "set" && on.endsWith("/g") ? "refused" : undefined
  }
  world.apply("a", "x", { tenants: ["red", "blue"], groups: [groupOf("g", "1"), groupOf("h", "1")] })
  world.start({ observer: metrics.updater(() => 1000, 40) })
  await world.clock.advance(2000)
  world.apply("a", "y", { tenants: ["red"], groups: [groupOf("i", "1")] })
  await world.clock.advance(1000)
  assert.deepEqual(await shown(), [
    "interval_seconds 40",
    'last_success_timestamp_seconds{ruler="cortex",tenant_id="blue"} 0',
    'last_success_timestamp_seconds{ruler="cortex",tenant_id="red"} 1000',
    'rules{ruler="cortex",tenant_id="blue"} 2',
    'rules{ruler="cortex",tenant_id="red"} 2',
    'unsynced_groups{ruler="cortex",tenant_id="red",reason="Refused"} 1',
  ])
  await world.stop()
  assert.deepEqual(await shown(), ["interval_seconds 40"])
})
