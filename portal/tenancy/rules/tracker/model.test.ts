import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { seedOf } from "../../../../dev/testing/seed.ts"
import type { TenantId } from "../../tenants/tenant.ts"
import { addressKey } from "../model/address.ts"
import { groupOf, World } from "../updater/world.testing.ts"
import { isUntouched, originOf } from "./origin.ts"
import { cycleIn, FakeKubernetes } from "./testing.ts"

const TENANTS = ["red", "blue"]
const NAMESPACES = ["x", "y"]
const GROUPS = ["a_b", "a-b", "c"]
/** red is imported, and blue mirrored in y; nothing is done for blue in x. */
const DIRECTIONS = ["tenant=red:import", "namespace=y:mirror"]

const place = fc.record({
  tenant: fc.constantFrom(...TENANTS),
  namespace: fc.constantFrom(...NAMESPACES),
  group: fc.constantFrom(...GROUPS),
})
const number = fc.nat({ max: 20 })
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant("put" as const), at: place, expr: number }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("remove" as const), at: place }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("apply" as const), at: place, expr: number }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("delete" as const), pick: number }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("edit" as const), pick: number, expr: number }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant("cycle" as const) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("time" as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("restart" as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("faults" as const), every: fc.integer({ min: 2, max: 6 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("works" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("watch" as const), goes: fc.boolean() }) },
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

/** One of several, the same for the same number. */
const picked = <T>(all: readonly T[], at: number): T | undefined => all[at % Math.max(all.length, 1)]

async function play(steps: readonly Step[]): Promise<void> {
  const world = new World()
  const kubernetes = new FakeKubernetes(world)
  /** Of people: resources by key, as they wrote them. */
  const own = new Map<string, string>()
  /** Imported groups, of which Kubernetes has had a resource that a cycle saw. */
  const had = new Set<string>()
  let clock = 0
  const failing = (every: number) => (): "before" | "after" | undefined =>
    (clock += 1) % every === 0 ? (clock % 2 === 0 ? "before" : "after") : undefined
  const isGoing = (key: string): boolean => world.resources.get(key)?.metadata.deletionTimestamp !== undefined
  const start = () => {
    world.start()
    return cycleIn(kubernetes, DIRECTIONS, {
      rulers: [{ ...world.ruler("cortex"), tenants: () => Promise.resolve(new Set(TENANTS as TenantId[])) }],
    })
  }
  let run = start()

  const cycle = async (): Promise<void> => {
    const before = new Map(world.resources)
    const writes = kubernetes.writes.length
    await run()
    for (const write of kubernetes.writes.slice(writes)) {
      const [verb, key = ""] = write.split(" ")
      const [was, is] = [before.get(key), world.resources.get(key)]
      if (key.startsWith("own/")) continue
      if (own.has(key)) assert.equal(JSON.stringify(is?.spec), own.get(key), `${write}: it is somebody's own`)
      if (verb === "delete") assert.ok(was !== undefined && isUntouched(was), `${write}: it is no mirror`)
      const origin = is && originOf(is)
      if (verb !== "create" || origin?.tenant !== "red") continue
      const id = JSON.stringify(origin)
      assert.ok(!had.has(id), `${write}: ${id} is resurrected`)
      had.add(id)
    }
  }

  for (const one of steps) {
    switch (one.do) {
      case "put": {
        const { tenant, namespace, group } = one.at
        const stored = { group: groupOf(group, String(one.expr)), isForeign: true }
        world.at("cortex", tenant).set(addressKey({ namespace, name: group }), stored)
        break
      }
      case "remove":
        world.at("cortex", one.at.tenant).delete(addressKey({ namespace: one.at.namespace, name: one.at.group }))
        break
      case "apply": {
        const { tenant, namespace, group } = one.at
        const spec = { tenants: [tenant], groups: [groupOf(group, String(one.expr))] }
        if (isGoing(`${namespace}/own-${tenant}-${group}`)) break
        world.apply(namespace, `own-${tenant}-${group}`, spec)
        own.set(`${namespace}/own-${tenant}-${group}`, JSON.stringify(spec))
        break
      }
      case "delete": {
        const key = picked([...world.resources.keys()], one.pick)
        if (key === undefined) break
        own.delete(key)
        world.delete(key)
        break
      }
      case "edit": {
        const [key, resource] = picked([...world.resources], one.pick) ?? []
        const [group] = (resource?.spec?.groups ?? []) as readonly { readonly name: string }[]
        if (key === undefined || isGoing(key) || group === undefined) break
        const spec = { ...resource?.spec, groups: [groupOf(group.name, String(one.expr))] }
        kubernetes.edit(key, spec)
        own.set(key, JSON.stringify(spec))
        break
      }
      case "cycle":
        await cycle()
        break
      case "time":
        await world.clock.advance(30_000)
        break
      case "restart":
        await world.stop()
        run = start()
        break
      case "faults":
        kubernetes.happens = failing(one.every)
        world.happens = failing(one.every + 1)
        break
      case "works":
        kubernetes.happens = () => undefined
        world.happens = () => undefined
        break
      case "watch":
        world.isWatching = one.goes
        world.deliver()
    }
  }

  kubernetes.happens = () => undefined
  world.happens = () => undefined
  world.isWatching = true
  world.deliver()
  for (let times = 0; times < 5; times += 1) {
    await world.clock.advance(60_000)
    await cycle()
  }
  for (const [key, spec] of own) assert.equal(JSON.stringify(world.resources.get(key)?.spec), spec, key)
  for (const [key, { group }] of world.at("cortex", "blue")) {
    const [namespace, name] = JSON.parse(key) as readonly [string, string]
    const having = [...world.resources.values()].filter(
      ({ metadata, spec }) =>
        metadata.namespace === namespace &&
        JSON.stringify(spec?.tenants) === '["blue"]' &&
        (spec?.groups as readonly { name: string }[] | undefined)?.[0]?.name === name,
    )
    if (namespace === "x") continue
    const isOwn = having.some(({ metadata }) => own.has(`${namespace}/${metadata.name}`))
    if (!isOwn)
      assert.deepEqual(
        having.map(({ spec }) => spec?.groups),
        [[group]],
        `${key} is not mirrored`,
      )
  }
  kubernetes.writes.length = 0
  world.calls.length = 0
  await world.clock.advance(60_000)
  await cycle()
  await world.clock.advance(60_000)
  assert.deepEqual(kubernetes.writes, [])
  assert.deepEqual(
    world.calls.filter((call) => !call.startsWith("list")),
    [],
  )
  await world.stop()
}

test(
  "whatever happens, nothing of people is changed, nothing comes back, and quiet follows",
  { timeout: 120_000 },
  async (t) => {
    await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 40, size: "max" }), play), {
      numRuns: 150,
      seed: seedOf(t),
      interruptAfterTimeLimit: 40_000,
    })
  },
)
