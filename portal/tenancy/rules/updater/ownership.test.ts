import assert from "node:assert/strict"
import { test } from "node:test"
import type { TenantId } from "../../tenants/tenant.ts"
import { addressKey } from "../model/address.ts"
import type { OwnedGroup } from "../resources/status.ts"
import { TestClock } from "./clock.testing.ts"
import { Ownership } from "./ownership.ts"
import { held } from "./show.testing.ts"
import { groupOf, World } from "./world.testing.ts"

const place = { ruler: "cortex", tenant: "red" as TenantId }
const entry = (group: string): OwnedGroup => ({ ruler: "cortex", namespace: "a", group, tenants: ["red"] })
const address = (name: string) => ({ namespace: "a", name })

test("keeps what stands in a ledger that was known too late, and tells where it is", async () => {
  const clock = new TestClock()
  let stored: readonly OwnedGroup[] = []
  const [records, told]: [string[], string[]] = [[], []]
  const ownership = new Ownership(
    {
      owned: () => stored,
      record: (_, owned) => {
        records.push(owned.map(({ group }) => group).join())
        if (stored.some(({ group }) => !owned.some((one) => one.group === group)))
          return Promise.reject(new Error("another version"))
        stored = owned
        return Promise.resolve()
      },
      report: () => Promise.resolve(),
      release: () => Promise.resolve(),
    },
    clock,
    new AbortController().signal,
    {
      ...{ stored: () => undefined, isForgotten: () => false, forgot: () => undefined },
      found: ({ tenant }, key) => void told.push(`${tenant} ${key}`),
    },
  )
  ownership.see("a/x", "uid-1")
  stored = [entry("old")]
  const key = addressKey(address("new"))
  const claim = ownership.claim(place, [{ key, owner: "a/x", address: address("new") }])
  await clock.advance(1000)
  assert.deepEqual([...(await claim).keys()], ["a/x"])
  await clock.advance(5000)
  const again = ownership.claim(place, [{ key, owner: "a/x", address: address("new") }])
  await clock.advance(1000)
  assert.equal((await again).size, 0)
  assert.deepEqual(stored, [entry("new"), entry("old")])
  assert.deepEqual(told, [`red ${addressKey(address("old"))}`])
  assert.deepEqual([...ownership.at(place).keys()], [addressKey(address("old")), key])
  assert.deepEqual(records, ["new", "old", "new,old"])
})

test("records what a resource owns in another one that has its name meanwhile", async () => {
  const world = new World()
  world.apply("a", "x", { tenants: ["red"], groups: [groupOf("g", "1")] })
  world.start()
  await world.clock.advance(5000)
  const before = world.resources.get("a/x")
  assert.ok(before)
  const { finalizers: _, ...metadata } = before.metadata
  const { status: __, ...rest } = before
  world.resources.set("a/x", { ...rest, metadata: { ...metadata, uid: "another", generation: 99 } })
  world.deliver()
  await world.clock.advance(5000)
  assert.deepEqual(world.resources.get("a/x")?.status?.owned, [entry("g")])
  await world.stop()
})

test("the oldest resource is that of the first creation, whatever the uids are", async () => {
  const world = new World()
  for (const [name, uid, creationTimestamp] of [
    ["old", "z", "2026-01-01T00:00:00Z"],
    ["young", "a", "2026-02-01T00:00:00Z"],
  ] as const)
    world.resources.set(`a/${name}`, {
      metadata: { namespace: "a", name, uid, creationTimestamp, generation: 1 },
      spec: { tenants: ["red"], groups: [groupOf("g", name)] },
    })
  world.deliver()
  world.start()
  await world.clock.advance(5000)
  assert.deepEqual(held(world), [`cortex red ["a","g"] old`])
  await world.stop()
})
