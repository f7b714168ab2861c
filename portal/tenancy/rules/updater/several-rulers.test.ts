import assert from "node:assert/strict"
import { test } from "node:test"
import { conditionsOf, held } from "./show.testing.ts"
import type { UpdaterOptions } from "./updater.ts"
import { groupOf, World } from "./world.testing.ts"

/** The tenant red is at eu, blue at us, and green at neither. */
async function start(): Promise<World> {
  const world = new World(["eu", "us"])
  world.serves = (ruler, tenant) => (tenant === "red" && ruler === "eu") || (tenant === "blue" && ruler === "us")
  world.apply("a", "x", { tenants: ["red", "blue"], groups: [groupOf("g", "1")] })
  world.start()
  await world.clock.advance(5000)
  return world
}
const both = [`eu red ["a","g"] 1`, `us blue ["a","g"] 1`]

test("a ruler gets the rules of its tenants alone, and no request for another", async () => {
  const world = await start()
  assert.deepEqual(held(world), both)
  assert.deepEqual(
    world.calls.filter((call) => /(?:eu blue|us red)/.test(call)),
    [],
  )
  assert.equal(conditionsOf(world, "a/x")[1], "Synced=True Synced: the rulers hold its groups for 2 tenants")
  world.apply("a", "x", { tenants: ["red"], groups: [groupOf("g", "2")] })
  await world.clock.advance(5000)
  assert.deepEqual(held(world), [`eu red ["a","g"] 2`])
  await world.stop()
})

test("a tenant that no ruler has is told", async () => {
  const world = await start()
  world.apply("a", "x", { tenants: ["red", "green"], groups: [groupOf("g", "1")] })
  await world.clock.advance(5000)
  assert.deepEqual(held(world), both.slice(0, 1))
  assert.deepEqual(
    conditionsOf(world, "a/x")[1],
    "Synced=False NoRuler: tenant green at none: no ruler of --rulers has this tenant",
  )
  await world.stop()
})

test("a tenant that is taken from a ruler keeps its groups there until its resource wants them no more", async () => {
  const world = await start()
  await world.stop()
  world.serves = (ruler) => ruler === "us"
  world.start()
  await world.clock.advance(100_000)
  assert.deepEqual(held(world), [...both, `us red ["a","g"] 1`])
  assert.match(
    conditionsOf(world, "a/x")[1] ?? "",
    /^Synced=False DeletionHeldBack: tenant red at eu: "g": --rulers has this ruler without this tenant by now/,
  )
  world.delete("a/x")
  await world.clock.advance(5000)
  assert.deepEqual([held(world), world.resources.size], [[], 0])
  await world.stop()
})

/** The ruler eu is gone from the configuration, to which red was written. */
async function withoutEu(options: Partial<UpdaterOptions>): Promise<World> {
  const before = await start()
  await before.stop()
  const world = new World(["us"])
  for (const [key, resource] of before.resources) world.resources.set(key, resource)
  for (const [key, groups] of before.groups) world.groups.set(key, groups)
  world.deliver()
  world.start(options)
  await world.clock.advance(5000)
  return world
}

test("a ruler that is no longer configured keeps its groups, and the condition says what to do", async () => {
  const world = await withoutEu({})
  assert.equal(
    conditionsOf(world, "a/x")[1],
    "Synced=False UnknownRuler: tenant red at eu: this ruler is not configured, so its groups stay there: configure it again, by the same name, or let go of it by --forget-ruler eu",
  )
  world.delete("a/x")
  await world.clock.advance(5000)
  assert.match(conditionsOf(world, "a/x")[1] ?? "", /^Synced=False UnknownRuler: tenant red at eu/)
  await world.stop()
})

test("a ruler that is forgotten keeps its groups, which are told once, and the resource is in sync without it", async () => {
  const told: string[] = []
  const forgot: UpdaterOptions["forgot"] = ({ metadata }, left) =>
    void told.push(
      `${metadata.name}: ${left.map(({ ruler, group, tenants }) => `${ruler} ${group} ${tenants.join()}`).join()}`,
    )
  const world = await withoutEu({ isForgotten: (ruler) => ruler === "eu", forgot })
  assert.deepEqual(held(world), [...both, `us red ["a","g"] 1`])
  assert.equal(conditionsOf(world, "a/x")[1], "Synced=True Synced: the rulers hold its groups for 2 tenants")
  assert.deepEqual(world.resources.get("a/x")?.status?.owned, [
    { ruler: "us", namespace: "a", group: "g", tenants: ["blue", "red"] },
  ])
  world.delete("a/x")
  await world.clock.advance(5000)
  assert.deepEqual([held(world), world.resources.size], [both.slice(0, 1), 0])
  assert.deepEqual(told, ["x: eu g red"])
  await world.stop()
})

test("a deleted resource is let go at once where only a forgotten ruler has groups of it, also when it is recorded late", async () => {
  const before = await start()
  before.apply("a", "x", { tenants: ["red"], groups: [groupOf("g", "1")] })
  await before.clock.advance(5000)
  before.happens = ({ what }) => (what === "delete" ? "before" : undefined)
  before.delete("a/x")
  await before.stop()
  const world = new World(["us"])
  for (const [key, resource] of before.resources) world.resources.set(key, resource)
  world.deliver()
  let failures = 0
  world.happens = ({ what }) => (what === "record" && failures++ < 2 ? "before" : undefined)
  world.start({ isForgotten: (ruler) => ruler === "eu" })
  await world.clock.advance(60_000)
  assert.deepEqual([failures > 2, world.resources.size], [true, 0])
  await world.stop()
})

test("a ruler that is configured again has its groups followed as before", async () => {
  const without = await withoutEu({})
  without.apply("a", "x", { tenants: ["blue"], groups: [groupOf("g", "1")] })
  await without.clock.advance(5000)
  await without.stop()
  const world = new World(["eu", "us"])
  for (const [key, resource] of without.resources) world.resources.set(key, resource)
  for (const [key, groups] of without.groups) world.groups.set(key, groups)
  world.deliver()
  world.start()
  await world.clock.advance(5000)
  assert.deepEqual(held(world), [`eu blue ["a","g"] 1`, `us blue ["a","g"] 1`])
  assert.match(conditionsOf(world, "a/x")[1] ?? "", /^Synced=True/)
  await world.stop()
})
