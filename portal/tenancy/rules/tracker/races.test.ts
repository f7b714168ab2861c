import assert from "node:assert/strict"
import { test } from "node:test"
import type { TenantId } from "../../tenants/tenant.ts"
import { addressKey } from "../model/address.ts"
import { groupOf, World } from "../updater/world.testing.ts"
import { resourceNames } from "./resource-names.ts"
import { cycleIn, FakeKubernetes, shown } from "./testing.ts"
import { createWriter } from "./write.ts"

const RED = "red" as TenantId
const NAME = resourceNames(RED, "a")[0] ?? ""
const MIRROR = ["tenant=red:mirror"]

/** The group `a` of red, in the namespace x. */
function scene() {
  const world = new World()
  const groups = world.at("cortex", "red")
  const put = (expr: string): void =>
    void groups.set(addressKey({ namespace: "x", name: "a" }), { group: groupOf("a", expr), isForeign: true })
  put("1")
  /** A ruler of which the list is read before something happens. */
  const rulerBefore = (happens: () => void) => {
    const ruler = world.ruler("cortex")
    const list = async (...given: Parameters<typeof ruler.list>) => {
      const listed = await ruler.list(...given)
      happens()
      return listed
    }
    return { ...ruler, list }
  }
  return { world, groups, put, rulerBefore, kubernetes: new FakeKubernetes(world) }
}

test("mirrors no group that a resource had before the ruler was read, or has since", async () => {
  const mine = { tenants: ["red"], groups: [groupOf("a", "mine")] }
  const had = scene()
  had.world.apply("x", "mine", mine)
  await cycleIn(had.kubernetes, MIRROR, { rulers: [had.rulerBefore(() => had.world.delete("x/mine"))] })()
  assert.deepEqual(shown(had.world), {})
  const has = scene()
  await cycleIn(has.kubernetes, MIRROR, { rulers: [has.rulerBefore(() => has.world.apply("x", "mine", mine))] })()
  assert.deepEqual(Object.keys(shown(has.world)), ["x/mine"])
})

test("mirrors no group while it was not known, before the ruler was read, which groups resources have", async () => {
  const { world, kubernetes, rulerBefore } = scene()
  world.incomplete = new Map([["x", "403"]])
  const { skipped } = await cycleIn(kubernetes, MIRROR, {
    rulers: [rulerBefore(() => (world.incomplete = new Map()))],
  })()
  assert.deepEqual(
    skipped.map(({ message }) => message),
    ["it is not known whether a resource in the namespace x has it: 403"],
  )
  assert.deepEqual(shown(world), {})
})

test("makes nothing of a group that the ruler has otherwise by then, or not at all", async () => {
  for (const change of ["edit", "delete"]) {
    const { world, groups, put, kubernetes, rulerBefore } = scene()
    const happens = () => (change === "edit" ? put("2") : groups.clear())
    await cycleIn(kubernetes, MIRROR, { rulers: [rulerBefore(happens)] })()
    assert.deepEqual(shown(world), {}, change)
  }
})

test("writes a mirror once that Kubernetes stores otherwise, and again when its group changes", async () => {
  const { world, put, kubernetes } = scene()
  const writer = createWriter(kubernetes.api, true)
  let updates = 0
  const run = cycleIn(kubernetes, MIRROR, {
    writer: { ...writer, update: () => Promise.resolve(void (updates += 1)) },
  })
  await run()
  put("2")
  await run()
  const { skipped } = await run()
  assert.equal(updates, 1)
  assert.deepEqual(
    skipped.map(({ reason, subject, message }) => [reason, subject, message]),
    [["edited", `x/${NAME}`, "Kubernetes does not store it as the ruler has it, so it is not written again"]],
  )
  put("3")
  await run()
  assert.equal(updates, 2)
  assert.equal(world.resources.size, 1)
})

test("the last mirror goes in a later cycle where its deletion failed", async () => {
  const { world, groups, kubernetes } = scene()
  const run = cycleIn(kubernetes, MIRROR)
  await run()
  groups.clear()
  // the record of imports is read first
  let requests = 0
  kubernetes.happens = () => ((requests += 1) > 1 ? "before" : undefined)
  assert.deepEqual([...(await run()).failures], [[`x/${NAME}`, "the API is away"]])
  kubernetes.happens = () => undefined
  assert.deepEqual(await run(), { skipped: [], failures: new Map() })
  assert.deepEqual(shown(world), {})
})

test("what was imported and not recorded is recorded in the next cycle, and is its owner's from then on", async () => {
  const { world, kubernetes } = scene()
  // the record is read, the resource is made, and the record cannot be written
  let requests = 0
  kubernetes.happens = () => ((requests += 1) > 2 ? "before" : undefined)
  const { failures } = await cycleIn(kubernetes, ["tenant=red:import"])()
  assert.deepEqual([...failures], [["imports", "the API is away"]])
  assert.deepEqual(world.resources.get(`x/${NAME}`)?.metadata.finalizers, ["fedstack.dev/importing"])
  kubernetes.happens = () => undefined
  // its owner wants the group no more
  kubernetes.edit(`x/${NAME}`, { tenants: ["red"], groups: [] })
  const run = cycleIn(kubernetes, ["tenant=red:import"])
  await run()
  assert.deepEqual(world.resources.get(`x/${NAME}`)?.metadata.finalizers, [])
  assert.deepEqual(shown(world), { [`x/${NAME}`]: [] })
  world.delete(`x/${NAME}`)
  await run()
  assert.deepEqual(shown(world), {})
})
