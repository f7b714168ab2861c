import assert from "node:assert/strict"
import { test } from "node:test"
import { DIRECTION } from "../resources/rule-resource.ts"
import { parseNamespaceTemplate } from "./namespace-template.ts"
import { conditionsOf, held } from "./show.testing.ts"
import { validateSimply } from "./wants.testing.ts"
import { groupOf, World } from "./world.testing.ts"

const [g, h] = [groupOf("g", "1"), groupOf("h", "1")]
const both = [`cortex red ["a","g"] 1`, `cortex red ["a","h"] 1`]

/** A resource whose two groups were written. */
async function start(options = {}): Promise<World> {
  const world = new World()
  world.apply("a", "x", { tenants: ["red"], groups: [g, h] })
  world.start(options)
  await world.clock.advance(5000)
  assert.deepEqual(held(world), both)
  world.calls.length = 0
  return world
}

const writes = (world: World): readonly string[] => world.calls.filter((call) => /^(?:set|delete)/.test(call))

test("deletes nothing of a namespace that cannot be read, and does so when it can", async () => {
  const world = await start()
  world.incomplete = new Map([["a", "forbidden"]])
  world.delete("a/x")
  await world.clock.advance(100_000)
  assert.deepEqual(held(world), both)
  assert.match(conditionsOf(world, "a/x")[1] ?? "", /^Synced=False DeletionHeldBack: .*cannot be read: forbidden/)
  world.incomplete = new Map()
  world.tell()
  await world.clock.advance(5000)
  assert.deepEqual([held(world), world.resources.size], [[], 0])
  await world.stop()
})

test("deletes nothing while another namespace cannot be read where the template does not tell them apart", async () => {
  const [byName, byBoth] = ["{name}", "{namespace}/{name}"].map(parseNamespaceTemplate)
  for (const [template, name, left] of [
    [byName, "x", 2],
    [byBoth, "a/x", 0],
  ] as const) {
    assert.ok(typeof template === "function")
    const world = new World()
    world.apply("a", "x", { tenants: ["red"], groups: [g, h] })
    world.start({ claims: { template, validate: validateSimply } })
    await world.clock.advance(5000)
    assert.deepEqual(held(world), [`cortex red ["${name}","g"] 1`, `cortex red ["${name}","h"] 1`])
    world.incomplete = new Map([["b", "forbidden"]])
    world.delete("a/x")
    await world.clock.advance(100_000)
    assert.equal(held(world).length, left)
    world.incomplete = new Map()
    world.tell()
    await world.clock.advance(5000)
    assert.deepEqual([held(world), world.resources.size], [[], 0])
    await world.stop()
  }
})

test("deletes nothing of a namespace that becomes unreadable while other groups are written", async () => {
  const world = await start()
  world.happens = ({ what }) => {
    if (what === "set") world.incomplete = new Map([["a", "forbidden"]])
    return undefined
  }
  world.apply("a", "x", { tenants: ["red"], groups: [g, groupOf("i", "1")] })
  await world.clock.advance(5000)
  assert.deepEqual(held(world), [...both, `cortex red ["a","i"] 1`])
  await world.stop()
})

test("deletes nothing while it cannot be recorded that the group of another name is created", async () => {
  const world = await start()
  world.happens = ({ what }) => (what === "record" ? "before" : undefined)
  world.apply("a", "x", { tenants: ["red"], groups: [g, groupOf("i", "1")] })
  await world.clock.advance(5000)
  assert.deepEqual(held(world), both)
  world.happens = () => undefined
  await world.clock.advance(100_000)
  assert.deepEqual(held(world), [...both.slice(0, 1), `cortex red ["a","i"] 1`])
  await world.stop()
})

test("deletes nothing of resources that vanish without having been deleted, one or all", async () => {
  const world = await start()
  world.apply("a", "y", { tenants: ["red"], groups: [groupOf("i", "1")] })
  await world.clock.advance(5000)
  const all = [...both, `cortex red ["a","i"] 1`]
  world.calls.length = 0
  world.isWatching = false
  for (const view of [new Map([...world.resources].slice(1)), new Map()]) {
    world.view = view
    world.tell()
    await world.clock.advance(200_000)
    assert.deepEqual([held(world), writes(world)], [all, []])
  }
  world.isWatching = true
  world.deliver()
  await world.clock.advance(100_000)
  assert.deepEqual([held(world), writes(world)], [all, []])
  world.delete("a/x")
  await world.clock.advance(5000)
  assert.deepEqual([held(world), world.resources.size], [all.slice(2), 1])
  await world.stop()
})

test("deletes what a deleted resource owned although it was let go before", async () => {
  const world = await start()
  world.happens = ({ what }) => (what === "delete" ? "before" : undefined)
  world.delete("a/x")
  await world.clock.advance(5000)
  world.resources.clear()
  world.deliver()
  world.happens = () => undefined
  await world.clock.advance(400_000)
  assert.deepEqual(held(world), [])
  await world.stop()
})

test("deletes nothing while a group has no name that can be read, and says so", async () => {
  const world = await start()
  world.apply("a", "x", { tenants: ["red"], groups: [g, { ...h, name: 5 }] })
  await world.clock.advance(5000)
  assert.deepEqual(held(world), both)
  assert.deepEqual(
    conditionsOf(world, "a/x")[1],
    'Synced=False DeletionHeldBack: tenant red at cortex: "h": it cannot be read which groups its resource wants',
  )
  await world.stop()
})

for (const spec of [
  { tenants: "red", groups: [g] },
  { tenants: ["red"], groups: "none" },
])
  test(`deletes nothing of a resource with the spec ${JSON.stringify(spec)}`, async () => {
    const world = await start()
    world.apply("a", "x", spec)
    await world.clock.advance(100_000)
    assert.deepEqual(held(world), both)
    assert.match(conditionsOf(world, "a/x")[0] ?? "", /^Accepted=False InvalidResource: spec\.\w+ must be a list$/)
    await world.stop()
  })

test("leaves the groups of a resource whose direction is another, also when that is deleted", async () => {
  const world = await start()
  world.apply("a", "x", { tenants: ["red"], groups: [g, h] }, { [DIRECTION]: "off" })
  await world.clock.advance(5000)
  assert.deepEqual(conditionsOf(world, "a/x"), [
    'Accepted=True NotASource: nothing is written of it, as fedstack.dev/direction is "off"',
    "Synced=Unknown NotASource: nothing is compared",
  ])
  world.apply("a", "x", { tenants: ["red"], groups: [] }, { [DIRECTION]: "off" })
  await world.clock.advance(100_000)
  world.delete("a/x")
  await world.clock.advance(5000)
  assert.deepEqual([held(world), world.resources.size, writes(world)], [both, 0, []])
  await world.stop()
})

test("lets a deleted resource whose direction is another go, although that was not recorded at once", async () => {
  const world = await start({ grace: 5 })
  world.delete("a/x")
  await world.clock.advance(1000)
  let failures = 0
  world.happens = ({ what }) => (what === "record" && failures++ < 2 ? "before" : undefined)
  world.apply("a", "x", { tenants: ["red"], groups: [g, h] }, { [DIRECTION]: "off" })
  await world.clock.advance(60_000)
  assert.deepEqual([held(world), world.resources.size, writes(world)], [both, 0, []])
  await world.stop()
})

test("deletes no groups where that is switched off, and lets deleted resources go", async () => {
  const world = await start({ removes: false })
  world.apply("a", "x", { tenants: ["red"], groups: [g] })
  await world.clock.advance(5000)
  world.delete("a/x")
  await world.clock.advance(5000)
  assert.deepEqual([held(world), world.resources.size, writes(world)], [both, 0, []])
  await world.stop()
})

test("deletes only so many groups at once, and the others ten seconds later", async () => {
  const world = await start({ mostDeletes: 1 })
  world.delete("a/x")
  await world.clock.advance(5000)
  assert.deepEqual(held(world), both.slice(1))
  await world.clock.advance(8000)
  assert.deepEqual(held(world), [])
  await world.stop()
})

test("a tenant that is removed loses its groups, and no other", async () => {
  const world = await start()
  world.apply("a", "y", { tenants: ["red", "blue"], groups: [groupOf("i", "1")] })
  await world.clock.advance(5000)
  world.apply("a", "y", { tenants: ["blue"], groups: [groupOf("i", "1")] })
  await world.clock.advance(5000)
  assert.deepEqual(held(world), [`cortex blue ["a","i"] 1`, ...both])
  await world.stop()
})

test("deletes after a restart what was deleted while it was down, and nothing else", async () => {
  const world = await start()
  world.at("cortex", "red").set(`["a","foreign"]`, { group: groupOf("foreign", "9"), isForeign: true })
  await world.stop()
  world.delete("a/x")
  world.start()
  await world.clock.advance(5000)
  assert.deepEqual([held(world), world.resources.size], [[`cortex red ["a","foreign"] 9`], 0])
  await world.stop()
})
