import assert from "node:assert/strict"
import { test } from "node:test"
import { FORCE_DELETE } from "../resources/rule-resource.ts"
import { parseNamespaceTemplate } from "./namespace-template.ts"
import { conditionsOf, held } from "./show.testing.ts"
import { validateSimply } from "./wants.testing.ts"
import { groupOf, World } from "./world.testing.ts"

const [g, h] = [groupOf("g", "1"), groupOf("h", "1")]
const GRACE = 5

/** A resource x with the groups g and h, and y with none, both written. */
async function start(): Promise<World> {
  const world = new World()
  world.apply("a", "x", { tenants: ["red"], groups: [g, h] })
  world.apply("a", "y", { tenants: ["red"], groups: [] })
  world.start({ grace: GRACE })
  await world.clock.advance(5000)
  world.calls.length = 0
  return world
}
const writes = (world: World): readonly string[] => world.calls.filter((call) => /^(?:set|delete)/.test(call))
const owned = (world: World, key: string): string =>
  (world.resources.get(key)?.status?.owned ?? []).map(({ group }) => group).join()

for (const [how, expr, expected] of [
  ["is equal, without a write", "1", []],
  ["differs, by one update", "2", ["set cortex red a/g"]],
] as const)
  test(`a group that moves in two applies is taken over where it ${how}`, async () => {
    const world = await start()
    world.apply("a", "x", { tenants: ["red"], groups: [h] })
    await world.clock.advance(3000)
    world.apply("a", "y", { tenants: ["red"], groups: [groupOf("g", expr)] })
    await world.clock.advance(100_000)
    assert.deepEqual(writes(world), expected)
    assert.deepEqual(held(world), [`cortex red ["a","g"] ${expr}`, `cortex red ["a","h"] 1`])
    assert.deepEqual([owned(world, "a/x"), owned(world, "a/y")], ["h", "g"])
    assert.match(conditionsOf(world, "a/x")[1] ?? "", /^Synced=True/)
    await world.stop()
  })

test("a group moves from a deleted resource to one that is created after it", async () => {
  const world = await start()
  world.delete("a/x")
  await world.clock.advance(3000)
  world.apply("a", "z", { tenants: ["red"], groups: [g, h] })
  await world.clock.advance(100_000)
  assert.deepEqual([writes(world), owned(world, "a/z"), world.resources.has("a/x")], [[], "g,h", false])
  await world.stop()
})

test("a group that no resource claims is deleted after the grace, and its resource says meanwhile that this waits", async () => {
  const world = await start()
  world.apply("a", "x", { tenants: ["red"], groups: [h] })
  await world.clock.advance(4500)
  assert.deepEqual(writes(world), [])
  assert.deepEqual(conditionsOf(world, "a/x"), [
    "Accepted=True Valid: its group is valid",
    'Synced=Unknown DeletionWaits: tenant red at cortex: "g": no resource wants it any more; it is deleted after 5s unless one claims it',
  ])
  assert.deepEqual(world.resources.get("a/x")?.status?.problems, undefined)
  await world.clock.advance(2500)
  assert.deepEqual([writes(world), owned(world, "a/x")], [["delete cortex red a/g"], "h"])
  assert.match(conditionsOf(world, "a/x")[1] ?? "", /^Synced=True/)
  await world.stop()
})

test("a deleted resource is let go when its groups were deleted after the grace", async () => {
  const world = await start()
  world.delete("a/x")
  await world.clock.advance(4500)
  assert.deepEqual([writes(world), world.resources.has("a/x")], [[], true])
  await world.clock.advance(2500)
  assert.deepEqual([held(world), world.resources.has("a/x")], [[], false])
  await world.stop()
})

test("a resource that is deleted by force has no grace, also where that is set later", async () => {
  const world = await start()
  world.delete("a/x")
  await world.clock.advance(1000)
  world.apply("a", "x", { tenants: ["red"], groups: [g, h] }, { [FORCE_DELETE]: "true" })
  await world.clock.advance(1000)
  assert.deepEqual([held(world), world.resources.has("a/x")], [[], false])
  await world.stop()
})

test("a deletion that waits is not forgotten over a restart, and the time begins anew", async () => {
  const world = await start()
  world.apply("a", "x", { tenants: ["red"], groups: [h] })
  await world.clock.advance(3000)
  await world.stop()
  world.start({ grace: GRACE })
  await world.clock.advance(4500)
  assert.deepEqual(writes(world), [])
  await world.clock.advance(2500)
  assert.deepEqual([writes(world), owned(world, "a/x")], [["delete cortex red a/g"], "h"])
  await world.stop()
})

test("the time begins anew with each time that the group was wanted, also while the ruler cannot be read", async () => {
  const world = await start()
  world.apply("a", "x", { tenants: ["red"], groups: [h] })
  await world.clock.advance(2000)
  world.happens = ({ what }) => (what === "list" || what === "get" ? "before" : undefined)
  await world.clock.advance(20_000)
  world.apply("a", "y", { tenants: ["red"], groups: [g] })
  await world.clock.advance(10_000)
  world.apply("a", "y", { tenants: ["red"], groups: [] })
  const droppedAt = world.clock.now()
  world.happens = () => undefined
  let deletedAt = Number.POSITIVE_INFINITY
  world.written = (_tenant, _address, _before, group) => {
    if (group === undefined) deletedAt = world.clock.now()
  }
  await world.clock.advance(100_000)
  assert.ok(deletedAt >= droppedAt + 1000 * GRACE && deletedAt < Number.POSITIVE_INFINITY, `${deletedAt - droppedAt}`)
  await world.stop()
})

test("a group that another resource claims with an invalid version is deleted, as no resource has a valid one", async () => {
  const world = await start()
  world.apply("a", "x", { tenants: ["red"], groups: [h] })
  await world.clock.advance(1000)
  world.apply("a", "y", { tenants: ["red"], groups: [groupOf("g", "invalid")] })
  await world.clock.advance(20_000)
  assert.deepEqual(writes(world), ["delete cortex red a/g"])
  await world.stop()
})

test("what was dropped is not deleted while resources that changed at the same time are not read yet", async () => {
  const world = new World()
  const template = parseNamespaceTemplate("{namespace}")
  assert.ok(typeof template === "function")
  const validate = function* (value: unknown) {
    world.clock.spend(500)
    return yield* validateSimply(value)
  }
  const names = Array.from({ length: 40 }, (_, index) => `r${index}`)
  world.apply("a", "x", { tenants: ["red"], groups: [g] })
  for (const name of names) world.apply("a", name, { tenants: ["red"], groups: [groupOf(name, "1")] })
  world.start({ grace: GRACE, claims: { template, validate } })
  const pass = async () => {
    for (let second = 0; second < 100; second++) await world.clock.advance(1000)
  }
  await pass()
  world.calls.length = 0
  world.isWatching = false
  world.apply("a", "x", { tenants: ["red"], groups: [] })
  for (const name of names) world.apply("a", name, { tenants: ["red"], groups: [groupOf(name, "2")] })
  const last = names.at(-1) ?? ""
  world.apply("a", last, { tenants: ["red"], groups: [groupOf(last, "2"), g] })
  world.isWatching = true
  world.deliver()
  await pass()
  assert.deepEqual(
    writes(world).filter((call) => call.endsWith("a/g")),
    [],
  )
  assert.equal(owned(world, `a/${last}`), `g,${last}`)
  await world.stop()
})
