import assert from "node:assert/strict"
import { test } from "node:test"
import { conditionsOf, held } from "./show.testing.ts"
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
