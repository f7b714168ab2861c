import assert from "node:assert/strict"
import { test } from "node:test"
import { TestClock } from "./clock.testing.ts"
import type { RuleResource } from "../resources/rule-resource.ts"
import { Reports } from "./reports.ts"
import { conditionsOf } from "./show.testing.ts"
import { groupOf, World } from "./world.testing.ts"

test("reports a write that fails once for each resource, however often it is tried, and again after a success", async () => {
  const [clock, ending] = [new TestClock(), new AbortController()]
  const failed: string[] = []
  let [isBroken, tries] = [true, 0]
  const reports = new Reports({
    ...{ clock, signal: ending.signal, isReleasable: () => false },
    ledger: {
      report() {
        tries += 1
        return isBroken ? Promise.reject(new Error("no status subresource")) : Promise.resolve()
      },
      release: () => Promise.resolve(),
    },
    statusOf: () => ({ conditions: [], observedGeneration: tries }),
    failed: (owner) => void failed.push(owner),
  })
  const running = reports.run()
  for (const owner of ["a/x", "a/y"]) reports.touch(owner)
  await clock.advance(60_000)
  assert.ok(tries > 6, String(tries))
  assert.deepEqual(failed, ["a/x", "a/y"])
  isBroken = false
  await clock.advance(120_000)
  isBroken = true
  reports.touch("a/x")
  await clock.advance(60_000)
  assert.deepEqual(failed, ["a/x", "a/y", "a/x"])
  ending.abort()
  await running
})

test("reports to a resource that was created again by its name, although nothing of its status differs", async () => {
  const world = new World()
  world.apply("a", "x", { tenants: ["red"], groups: [] })
  world.start()
  await world.clock.advance(20_000)
  const before = conditionsOf(world, "a/x")
  assert.match(before[1] ?? "", /^Synced=True/)
  const { spec, metadata } = world.resources.get("a/x") ?? { metadata: { name: "x" } }
  world.delete("a/x")
  // as kubectl replace --force does it
  world.resources.set("a/x", { metadata: { ...metadata, uid: "another" }, ...(spec && { spec }) })
  world.deliver()
  await world.clock.advance(20_000)
  assert.deepEqual(conditionsOf(world, "a/x"), before)
  await world.stop()
})

test("writes a status anew that another client has removed", async () => {
  const world = new World()
  world.apply("a", "x", { tenants: ["red"], groups: [groupOf("g", "1")] })
  world.start()
  await world.clock.advance(20_000)
  const before = world.resources.get("a/x")?.status
  world.resources.set("a/x", { ...world.resources.get("a/x"), status: {} } as RuleResource)
  world.deliver()
  await world.clock.advance(100_000)
  assert.deepEqual(world.resources.get("a/x")?.status, before)
  await world.stop()
})
