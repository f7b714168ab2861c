import assert from "node:assert/strict"
import { test } from "node:test"
import { createLogger } from "#core/log/logger.ts"
import type { RuleGroup } from "../model/group.ts"
import { validateGroupInSteps } from "../validation/validate-group.ts"
import type { Plan } from "./plan.ts"
import { conditionsOf, held } from "./show.testing.ts"
import { validateSimply } from "./wants.testing.ts"
import { groupOf, World } from "./world.testing.ts"

const [g, h] = [groupOf("g", "1"), groupOf("h", "1")]

/** The ruler refuses this group. */
const refuse =
  (group: string): World["happens"] =>
  ({ what, on }) =>
    what === "set" && on.endsWith(`/${group}`) ? "refused" : undefined

test("a group that the ruler refuses holds back no other, is not owned, and is not sent again each cycle", async () => {
  const world = new World()
  world.happens = refuse("g")
  world.apply("a", "x", { tenants: ["red"], groups: [g, h] })
  world.apply("a", "y", { tenants: ["red"], groups: [groupOf("i", "1")] })
  world.start()
  await world.clock.advance(59_000)
  assert.deepEqual(held(world), [`cortex red ["a","h"] 1`, `cortex red ["a","i"] 1`])
  assert.equal(world.calls.filter((call) => call === "set cortex red a/g").length, 1)
  assert.deepEqual(
    world.resources.get("a/x")?.status?.owned?.map(({ group }) => group),
    ["h"],
  )
  assert.deepEqual(conditionsOf(world, "a/x"), [
    "Accepted=True Valid: all 2 groups are valid",
    'Synced=False Refused: tenant red at cortex: "g": the ruler refused it (400)',
  ])
  assert.match(conditionsOf(world, "a/y")[1] ?? "", /^Synced=True/)
  world.happens = () => undefined
  world.apply("a", "x", { tenants: ["red"], groups: [groupOf("g", "2"), h] })
  await world.clock.advance(5000)
  assert.match(conditionsOf(world, "a/x")[1] ?? "", /^Synced=True/)
  await world.stop()
})

test("an invalid group holds back no other, and stays as it was at the ruler", async () => {
  const world = new World()
  world.apply("a", "x", { tenants: ["red"], groups: [g, h] })
  world.start()
  await world.clock.advance(5000)
  world.apply("a", "x", { tenants: ["red"], groups: [groupOf("g", "invalid"), groupOf("h", "2")] })
  await world.clock.advance(100_000)
  assert.deepEqual(held(world), [`cortex red ["a","g"] 1`, `cortex red ["a","h"] 2`])
  assert.deepEqual(conditionsOf(world, "a/x")[0], 'Accepted=False InvalidGroups: 1 of 2 groups are invalid: "g"')
  await world.stop()
})

test("a group that is nested thousands deep, which the API takes, holds back no other", async () => {
  const world = new World()
  const deep = JSON.parse("[".repeat(9000) + "]".repeat(9000)) as unknown
  const bad = { name: "bad", rules: [{ record: "a", expr: "up", labels: { a: deep } }] }
  world.apply("a", "x", { tenants: ["red"], groups: [bad, g] })
  world.apply("a", "y", { tenants: ["red"], groups: [h] })
  world.start({ claims: { template: ({ namespace }) => namespace, validate: validateGroupInSteps } })
  await world.clock.advance(20_000)
  assert.deepEqual(held(world), [`cortex red ["a","g"] 1`, `cortex red ["a","h"] 1`])
  assert.equal(conditionsOf(world, "a/x")[0], 'Accepted=False InvalidGroups: 1 of 2 groups are invalid: "bad"')
  await world.stop()
})

test("a resource whose reading fails for a reason that nobody knew keeps its groups, and holds back no other", async () => {
  const world = new World()
  const lines: string[] = []
  let isBroken = false
  world.apply("a", "x", { tenants: ["red"], groups: [g] })
  world.start({
    claims: {
      template: ({ namespace }) => namespace,
      validate(group) {
        if (isBroken && JSON.stringify(group).includes("broken")) throw new Error("a defect")
        return validateSimply(group)
      },
    },
    log: createLogger({ level: "error", format: "logfmt" }, "test", (line) => lines.push(line)),
  })
  await world.clock.advance(5000)
  isBroken = true
  world.apply("a", "x", { tenants: ["red"], groups: [groupOf("other", "broken")] })
  world.apply("a", "y", { tenants: ["red"], groups: [h] })
  await world.clock.advance(60_000)
  assert.deepEqual(held(world), [`cortex red ["a","g"] 1`, `cortex red ["a","h"] 1`])
  assert.equal(conditionsOf(world, "a/x")[0], "Accepted=False InvalidResource: cannot be read: a defect")
  assert.equal(lines.length, 1)
  assert.match(
    lines[0] ?? "",
    /reading a resource failed, its groups stay as they are" resource=a\/x reason="a defect"/,
  )
  isBroken = false
  world.apply("a", "x", { tenants: ["red"], groups: [groupOf("i", "1")] })
  await world.clock.advance(20_000)
  assert.deepEqual(held(world), [`cortex red ["a","h"] 1`, `cortex red ["a","i"] 1`])
  await world.stop()
})

test("a renamed group is created before the former one is deleted, which stays while the new one is refused", async () => {
  const world = new World()
  world.apply("a", "x", { tenants: ["red"], groups: [g] })
  world.start()
  await world.clock.advance(5000)
  world.calls.length = 0
  world.happens = refuse("h")
  world.apply("a", "x", { tenants: ["red"], groups: [h] })
  await world.clock.advance(5000)
  assert.deepEqual(held(world), [`cortex red ["a","g"] 1`])
  world.happens = () => undefined
  await world.clock.advance(200_000)
  assert.deepEqual(held(world), [`cortex red ["a","h"] 1`])
  const writes = world.calls.filter((call) => /^(?:set|delete)/.test(call))
  assert.deepEqual(writes, ["set cortex red a/h", "set cortex red a/h", "delete cortex red a/g"])
  await world.stop()
})

test("a ruler that is down holds back no other, and is caught up with", async () => {
  const world = new World(["cortex", "mimir"])
  world.happens = ({ on }) => (on.startsWith("mimir ") ? "before" : undefined)
  world.apply("a", "x", { tenants: ["red"], groups: [g] })
  world.start()
  await world.clock.advance(30_000)
  assert.deepEqual(held(world), [`cortex red ["a","g"] 1`])
  assert.deepEqual(world.state(), {
    isComplete: false,
    failing: [{ ruler: "mimir", tenant: "red", fault: "connection refused" }],
  })
  assert.deepEqual(conditionsOf(world, "a/x")[1], "Synced=False RulerFailed: tenant red at mimir: connection refused")
  world.happens = () => undefined
  await world.clock.advance(61_000)
  assert.deepEqual(held(world), [`cortex red ["a","g"] 1`, `mimir red ["a","g"] 1`])
  assert.deepEqual(world.state(), { isComplete: true, failing: [] })
  await world.stop()
})

test("reads limits only before it writes, and says which groups are left out", async () => {
  const world = new World()
  world.limits = { groups: 2, rulesPerGroup: undefined }
  world.apply("a", "x", { tenants: ["red"], groups: [g, h] })
  world.apply("a", "y", { tenants: ["red"], groups: [groupOf("i", "1")] })
  world.start()
  await world.clock.advance(5000)
  assert.deepEqual(held(world), [`cortex red ["a","g"] 1`, `cortex red ["a","h"] 1`])
  assert.deepEqual(world.resources.get("a/y")?.status?.problems, [
    {
      group: "i",
      where: "tenants red",
      severity: "error",
      message:
        "TooManyGroups: the ruler takes at most 2 groups of this tenant and has 0: delete some, or raise its limit",
    },
  ])
  world.apply("a", "x", { tenants: ["red"], groups: [h] })
  await world.clock.advance(20_000)
  assert.deepEqual(held(world), [`cortex red ["a","h"] 1`, `cortex red ["a","i"] 1`])
  await world.stop()
})

test("a dry run plans everything and writes nothing", async () => {
  const plans: Plan[] = []
  const world = new World()
  world.apply("a", "x", { tenants: ["red"], groups: [g] })
  const observer = { planned: (plan: Plan) => plans.push(plan), wrote: () => 0, cycle: () => 0, gone: () => 0 }
  world.start({ dryRun: true, observer })
  await world.clock.advance(5000)
  assert.deepEqual(
    plans.map(({ creates }) => creates.map(({ address }) => address)),
    [[{ namespace: "a", name: "g" }]],
  )
  assert.deepEqual(world.calls, ["list cortex red", "limits cortex red"])
  await world.stop()
})

test("a resource that is changed for ever is followed rarely, and told once", async () => {
  const world = new World()
  const told = new Set<string>()
  for (let second = 0; second < 600; second++) {
    world.apply("a", "x", { tenants: ["red"], groups: [groupOf("g", String(second))] })
    if (second === 0) world.start()
    await world.clock.advance(1000)
    for (const condition of conditionsOf(world, "a/x")) told.add(condition.replace(/:.*/, ""))
  }
  assert.ok(world.calls.filter((call) => call.startsWith("set")).length < 16)
  assert.deepEqual(
    [...told].filter((one) => one.includes("Conflict")),
    ["Accepted=False ConflictOfWriters"],
  )
  await world.clock.advance(600_000)
  assert.deepEqual(held(world), [`cortex red ["a","g"] 599`])
  await world.stop()
})

test("a group that another writer changes for ever is rewritten rarely", async () => {
  const world = new World()
  world.apply("a", "x", { tenants: ["red"], groups: [g] })
  world.start()
  await world.clock.advance(5000)
  for (let minute = 0; minute < 60; minute++) {
    world.at("cortex", "red").set(`["a","g"]`, { group: groupOf("g", "drift"), isForeign: false })
    await world.clock.advance(60_000)
  }
  assert.ok(world.calls.filter((call) => call.startsWith("set")).length < 9)
  assert.match(conditionsOf(world, "a/x")[1] ?? "", /^Synced=False ConflictOfWriters: /)
  await world.stop()
})

// labels of groups at Mimir 2: each rewriting would be for nothing
test("does not write again what the ruler drops a part of, until that is another group or the ruler keeps it", async () => {
  const world = new World()
  const labelled = (expr: string): RuleGroup => ({ ...groupOf("g", expr), labels: { team: "a" } })
  world.keeps = ({ name, rules }) => ({ name, rules })
  world.apply("a", "x", { tenants: ["red"], groups: [labelled("1"), h] })
  world.start()
  await world.clock.advance(5000)
  world.apply("a", "x", { tenants: ["red"], groups: [labelled("2"), h] })
  await world.clock.advance(2 * 3_600_000)
  const writes = (): readonly string[] => world.calls.filter((call) => call.startsWith("set"))
  assert.deepEqual(writes(), ["set cortex red a/g", "set cortex red a/h", "set cortex red a/g"])
  assert.deepEqual(held(world), [`cortex red ["a","g"] 2`, `cortex red ["a","h"] 1`])
  assert.deepEqual(conditionsOf(world, "a/x"), [
    "Accepted=True Valid: all 2 groups are valid",
    'Synced=False NotKept: tenant red at cortex: "g": the ruler drops labels of this group and keeps the rest: remove that, or use a version of the ruler that keeps it',
  ])
  // an upgraded ruler: another writer, or a change, brings it there
  world.at("cortex", "red").set(`["a","g"]`, { group: groupOf("g", "drift"), isForeign: false })
  world.keeps = (group) => group
  await world.clock.advance(120_000)
  assert.equal(writes().length, 4)
  assert.match(conditionsOf(world, "a/x")[1] ?? "", /^Synced=True/)
  // a writer that drops it later is another writer
  world.at("cortex", "red").set(`["a","g"]`, { group: groupOf("g", "2"), isForeign: false })
  await world.clock.advance(300_000)
  assert.equal(writes().length, 5)
  assert.deepEqual(world.at("cortex", "red").get(`["a","g"]`)?.group, labelled("2"))
  await world.stop()
})

test("does not write what was changed again while its intent was recorded", async () => {
  const world = new World()
  world.happens = ({ what }) => (what === "record" ? "slow" : undefined)
  world.apply("a", "x", { tenants: ["red"], groups: [g] })
  world.start()
  await world.clock.advance(5000)
  world.apply("a", "x", { tenants: ["red"], groups: [groupOf("g", "2")] })
  await world.clock.advance(60_000)
  assert.deepEqual(held(world), [`cortex red ["a","g"] 2`])
  assert.equal(world.calls.filter((call) => call.startsWith("set")).length, 1)
  await world.stop()
})

test("deletes nothing in a cycle in which the ruler failed", async () => {
  const world = new World()
  world.apply("a", "x", { tenants: ["red"], groups: [g] })
  world.apply("a", "y", { tenants: ["red"], groups: [h] })
  world.start()
  await world.clock.advance(5000)
  world.happens = ({ what }) => (what === "set" ? "before" : undefined)
  world.apply("a", "y", { tenants: ["red"], groups: [groupOf("h", "2")] })
  world.delete("a/x")
  await world.clock.advance(200)
  assert.deepEqual(held(world), [`cortex red ["a","g"] 1`, `cortex red ["a","h"] 1`])
  await world.clock.advance(20_000)
  assert.deepEqual(held(world), [`cortex red ["a","h"] 1`]) // one group at which the ruler fails does not keep the others
  await world.stop()
})

test("a group that is claimed while others are read is not taken for absent, and what is foreign stays", async () => {
  const world = new World()
  const foreign = { group: groupOf("g", "foreign"), isForeign: true }
  world.at("cortex", "red").set(JSON.stringify(["a", "g"]), foreign)
  world.apply("a", "x", { tenants: ["red"], groups: [g, h] })
  world.start()
  await world.clock.advance(5000)
  world.happens = ({ what, on }) => (what === "get" && on.endsWith("/h") ? "slow" : undefined)
  world.apply("a", "x", { tenants: ["red"], groups: [groupOf("h", "2")] })
  await world.clock.advance(1000)
  assert.ok(world.calls.includes("get cortex red a/h"))
  world.apply("a", "x", { tenants: ["red"], groups: [groupOf("g", "2"), groupOf("h", "2")] })
  await world.clock.advance(60_000)
  assert.deepEqual(world.at("cortex", "red").get(JSON.stringify(["a", "g"])), foreign)
  assert.match(conditionsOf(world, "a/x")[1] ?? "", /^Synced=False ExistingGroup/)
  await world.stop()
})
