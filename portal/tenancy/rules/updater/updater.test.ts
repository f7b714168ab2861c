import assert from "node:assert/strict"
import { test } from "node:test"
import { parseNamespaceTemplate } from "./namespace-template.ts"
import { conditionsOf, held } from "./show.testing.ts"
import { validateSimply } from "./wants.testing.ts"
import { groupOf, World } from "./world.testing.ts"

test("writes the groups of a resource for each of its tenants, and reports it", async () => {
  const world = new World()
  world.apply("a", "x", { tenants: ["red", "blue"], groups: [groupOf("g", "1"), groupOf("h", "2")] })
  world.start()
  await world.clock.advance(5000)
  assert.deepEqual(held(world), [
    `cortex blue ["a","g"] 1`,
    `cortex blue ["a","h"] 2`,
    `cortex red ["a","g"] 1`,
    `cortex red ["a","h"] 2`,
  ])
  assert.deepEqual(world.resources.get("a/x")?.status?.owned, [
    { ruler: "cortex", namespace: "a", group: "g", tenants: ["blue", "red"] },
    { ruler: "cortex", namespace: "a", group: "h", tenants: ["blue", "red"] },
  ])
  assert.deepEqual(conditionsOf(world, "a/x"), [
    "Accepted=True Valid: all 2 groups are valid",
    "Synced=True Synced: the rulers hold its groups for 2 tenants",
  ])
  assert.deepEqual(world.calls.toSorted(), [
    "limits cortex blue",
    "limits cortex red",
    "list cortex blue",
    "list cortex red",
    "record a/x",
    "report a/x",
    "set cortex blue a/g",
    "set cortex blue a/h",
    "set cortex red a/g",
    "set cortex red a/h",
  ])
  await world.stop()
})

test("reads and writes the group alone that was edited, and each tenant once in a quiet interval", async () => {
  const world = new World()
  const groups = [groupOf("g", "1"), groupOf("h", "2")]
  world.apply("a", "x", { tenants: ["red", "blue"], groups })
  world.start()
  await world.clock.advance(5000)
  world.calls.length = 0
  world.apply("a", "x", { tenants: ["red", "blue"], groups: [groupOf("g", "1"), groupOf("h", "3")] })
  await world.clock.advance(2000)
  assert.deepEqual(world.calls, [
    "get cortex red a/h",
    "get cortex blue a/h",
    "limits cortex red",
    "limits cortex blue",
    "set cortex red a/h",
    "set cortex blue a/h",
    "report a/x",
  ])
  world.calls.length = 0
  await world.clock.advance(41_000)
  assert.deepEqual(world.calls.toSorted(), ["list cortex blue", "list cortex red"])
  await world.stop()
})

test("deletes what a deleted resource owns, and lets it go", async () => {
  const world = new World()
  world.apply("a", "x", { tenants: ["red"], groups: [groupOf("g", "1")] })
  world.at("cortex", "red").set(`["a","foreign"]`, { group: groupOf("foreign", "9"), isForeign: true })
  world.start()
  await world.clock.advance(5000)
  world.calls.length = 0
  world.delete("a/x")
  await world.clock.advance(5000)
  assert.deepEqual(held(world), [`cortex red ["a","foreign"] 9`])
  assert.deepEqual(world.calls, ["get cortex red a/g", "delete cortex red a/g", "record a/x", "release a/x"])
  assert.equal(world.resources.size, 0)
  await world.stop()
})

test("takes the first of two groups of one name in a resource, and reports the other", async () => {
  const world = new World()
  world.apply("a", "x", { tenants: ["red"], groups: [groupOf("g", "1"), groupOf("g", "2")] })
  world.start()
  await world.clock.advance(5000)
  assert.deepEqual(held(world), [`cortex red ["a","g"] 1`])
  assert.deepEqual(world.resources.get("a/x")?.status?.problems, [
    {
      ...{ group: "g", where: "", severity: "error" },
      message: 'groups[1] has the name "g" of a group before it, which is written instead',
    },
  ])
  await world.stop()
})

test("writes a status again of which it is not known whether it was written", async () => {
  const world = new World()
  world.apply("a", "x", { tenants: ["red"], groups: [groupOf("g", "1")] })
  world.start()
  await world.clock.advance(5000)
  world.happens = ({ what }) => (what === "report" ? "after" : what === "list" ? "before" : undefined)
  await world.clock.advance(50_000)
  assert.match(conditionsOf(world, "a/x")[1] ?? "", /^Synced=False RulerFailed/)
  world.happens = ({ what }) => (what === "report" ? "after" : undefined)
  await world.clock.advance(120_000)
  assert.match(conditionsOf(world, "a/x")[1] ?? "", /^Synced=True/)
  await world.stop()
})

test("reports no edit as written after a failure that is not shown yet", async () => {
  const world = new World()
  world.apply("a", "x", { tenants: ["red"], groups: [groupOf("g", "1")] })
  world.start()
  await world.clock.advance(5000)
  let failures = 0
  world.happens = ({ what }) => (/^(?:get|list)$/.test(what) ? (failures++ === 0 ? "before" : "slow") : undefined)
  world.apply("a", "x", { tenants: ["red"], groups: [groupOf("g", "2")] })
  await world.clock.advance(15_000)
  assert.deepEqual(held(world), [`cortex red ["a","g"] 1`])
  assert.match(conditionsOf(world, "a/x")[1] ?? "", /^Synced=Unknown Pending/)
  await world.stop()
})

test("a group that was claimed after the ruler was read is read before it is written", async () => {
  const world = new World()
  world.apply("a", "x", { tenants: ["red"], groups: [groupOf("g", "1")] })
  let isFirst = true
  world.happens = ({ what }) => {
    if (what !== "limits" || !isFirst) return undefined
    isFirst = false
    world.at("cortex", "red").set(`["a","h"]`, { group: groupOf("h", "foreign"), isForeign: true })
    world.apply("a", "y", { tenants: ["red"], groups: [groupOf("h", "1")] })
    return "slow"
  }
  world.start()
  await world.clock.advance(60_000)
  assert.deepEqual(held(world), [`cortex red ["a","g"] 1`, `cortex red ["a","h"] foreign`])
  assert.match(conditionsOf(world, "a/y")[1] ?? "", /^Synced=False ExistingGroup/)
  await world.stop()
})

/** A world in which the validation of a group takes ten slices; `during` is called after the first of them. */
function slowWorld(during: (world: World) => void): World {
  const world = new World()
  const template = parseNamespaceTemplate("{namespace}")
  assert.ok(typeof template === "function")
  let isFirst = true
  const validate = function* (value: unknown) {
    for (let slice = 0; slice < 10; slice++) {
      world.clock.spend(10)
      setImmediate(() => world.calls.push("other"))
      yield
      if (isFirst) during(world)
      isFirst = false
    }
    return yield* validateSimply(value)
  }
  world.apply("a", "x", { tenants: ["red"], groups: [groupOf("g", "1")] })
  world.start({ claims: { template, validate } })
  return world
}
const pass = async (world: World): Promise<void> => {
  for (let second = 0; second < 20; second++) await world.clock.advance(1000)
}

test("lets others work while a group is validated", async () => {
  const world = slowWorld(() => undefined)
  await pass(world)
  assert.deepEqual(world.calls.slice(0, 12), [
    ...Array.from({ length: 10 }, () => "other"),
    "list cortex red",
    "limits cortex red",
  ])
  await world.stop()
})

test("writes what was applied while the version before was validated, and only that", async () => {
  const world = slowWorld((self) => self.apply("a", "x", { tenants: ["red"], groups: [groupOf("g", "2")] }))
  await pass(world)
  assert.deepEqual(held(world), [`cortex red ["a","g"] 2`])
  assert.equal(world.calls.filter((call) => call.startsWith("set")).length, 1)
  await world.stop()
})

test("writes nothing of a resource that was deleted while it was validated", async () => {
  const world = slowWorld(() => world.delete("a/x"))
  await pass(world)
  assert.deepEqual([held(world), world.calls.filter((call) => call !== "other")], [[], []])
  await world.stop()
})
