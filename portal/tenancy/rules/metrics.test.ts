import assert from "node:assert/strict"
import { test } from "node:test"
import { createRegistry } from "#core/metrics/registry.ts"
import { createInformerMetrics } from "./metrics.ts"
import { createTenantNames } from "./tenant-names.ts"
import { groupOf, World } from "./updater/world.testing.ts"

test("metrics of each tenant show what is not in sync whatever was compared last, and end with the updater", async () => {
  const world = new World()
  const registry = createRegistry()
  const metrics = createInformerMetrics(
    registry,
    createTenantNames(() => undefined),
  )
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

test("tenants beyond the bound are shown together, one takes the place of one that is gone, and that is told once", async () => {
  const world = new World()
  const registry = createRegistry()
  const told: number[] = []
  const metrics = createInformerMetrics(
    registry,
    createTenantNames((most) => told.push(most), 2),
  )
  const shown = async (): Promise<readonly string[]> =>
    (await registry.metrics())
      .split("\n")
      .filter((line) => /^(?:fedstack_rules_informer_(?:rules|last\w+|tenants_not_shown)|open\w+_rules)[{ ]/.test(line))
      .map((line) => line.replace(/^\w+_informer_/, "").replace('ruler="cortex",', ""))
      .toSorted()
  let now = 100
  world.apply("a", "x", { tenants: ["t1"], groups: [groupOf("g", "1")] })
  world.start({ observer: metrics.updater(() => now, 0) })
  for (const tenants of [
    ["t1", "t2"],
    ["t1", "t2", "t3"],
    ["t1", "t2", "t3", "t4"],
  ]) {
    now += 1
    world.apply("a", "x", { tenants, groups: [groupOf("g", "1")] })
    await world.clock.advance(5000)
  }
  assert.deepEqual(await shown(), [
    'last_success_timestamp_seconds{tenant_id="<others>"} 102',
    'last_success_timestamp_seconds{tenant_id="t1"} 101',
    'last_success_timestamp_seconds{tenant_id="t2"} 101',
    'rules{tenant_id="<others>"} 2',
    'rules{tenant_id="t1"} 1',
    'rules{tenant_id="t2"} 1',
    "tenants_not_shown 2",
    'updater_rules{tenant_id="<others>"} 2',
    'updater_rules{tenant_id="t1"} 1',
    'updater_rules{tenant_id="t2"} 1',
  ])
  world.apply("a", "x", { tenants: ["t2", "t3"], groups: [groupOf("g", "1")] })
  await world.clock.advance(5000)
  assert.deepEqual(
    (await shown()).filter((line) => /^(?:rules|tenants)/.test(line)),
    ['rules{tenant_id="t2"} 1', 'rules{tenant_id="t3"} 1', "tenants_not_shown 0"],
  )
  assert.deepEqual(told, [2])
  await world.stop()
})
