import assert from "node:assert/strict"
import { test } from "node:test"
import { addressKey } from "../model/address.ts"
import { RulerError } from "../ruler/errors.ts"
import { groupOf, World } from "../updater/world.testing.ts"
import { resourceNames } from "./resource-names.ts"
import { cycleIn, FakeKubernetes, shown } from "./testing.ts"
import type { TenantId } from "../../tenants/tenant.ts"

const RED = "red" as TenantId
const nameOf = (group: string, tenant = RED): string => resourceNames(tenant, group)[0] ?? ""

function scene(...given: readonly (readonly [tenant: string, namespace: string, group: string, expr: string])[]) {
  const world = new World()
  const kubernetes = new FakeKubernetes(world)
  const put = (tenant: string, namespace: string, name: string, expr: string): void =>
    void world
      .at("cortex", tenant)
      .set(addressKey({ namespace, name }), { group: groupOf(name, expr), isForeign: true })
  const remove = (tenant: string, namespace: string, name: string): void =>
    void world.at("cortex", tenant).delete(addressKey({ namespace, name }))
  for (const one of given) put(...one)
  return { world, kubernetes, put, remove }
}

test("imports a group once, under the original's name, and Kubernetes is its source from then on", async () => {
  const { world, kubernetes } = scene(["red", "x", "a_b", "1"], ["blue", "x", "a_b", "2"])
  world.start()
  const run = cycleIn(kubernetes, ["tenant=red,namespace=x:import"])
  await world.clock.advance(6000)
  assert.deepEqual(await run(), { skipped: [], failures: new Map() })
  assert.equal(nameOf("a_b"), "red-34fafddda8f42376094beb762e514a67b6f019e7")
  assert.deepEqual(shown(world), { [`x/${nameOf("a_b")}`]: [groupOf("a_b", "1")] })
  await world.clock.advance(60_000)
  const [resource] = world.resources.values()
  assert.deepEqual(resource?.status?.owned, [{ ruler: "cortex", namespace: "x", group: "a_b", tenants: ["red"] }])
  assert.deepEqual(kubernetes.configMaps.get("own/imports"), {
    ...kubernetes.configMaps.get("own/imports"),
    data: { x: '["a_b","red"]\n' },
  })
  kubernetes.writes.length = 0
  world.calls.length = 0
  await run()
  await world.clock.advance(60_000)
  assert.deepEqual(kubernetes.writes, [])
  assert.deepEqual(
    world.calls.filter((call) => !call.startsWith("list")),
    [],
  )
  await world.stop()
})

test("does not import again what was deleted, with its group at the ruler or before that, or after a restart", async () => {
  const { world, kubernetes, put } = scene(["red", "x", "a", "1"])
  world.start()
  const run = cycleIn(kubernetes, ["tenant=red:import"])
  await run()
  await world.clock.advance(60_000)
  world.delete(`x/${nameOf("a")}`)
  await run()
  await world.clock.advance(60_000)
  assert.deepEqual([shown(world), world.at("cortex", "red").size], [{}, 0])
  put("red", "x", "a", "1") // as a listing that is older
  await cycleIn(kubernetes, ["tenant=red:import"])()
  assert.deepEqual(shown(world), {})
  await world.stop()
})

test("does not import what a resource has, or had when the ruler was read", async () => {
  const { world, kubernetes, put } = scene(["red", "x", "a", "1"], ["red", "x", "b", "1"])
  world.apply("x", "mine", { tenants: ["red"], groups: [groupOf("a", "other")] })
  const resource = { ...world.ruler("cortex") }
  const rulers = [
    {
      ...resource,
      async list(...given: Parameters<typeof resource.list>) {
        const listed = await resource.list(...given)
        world.delete("x/mine")
        return listed
      },
    },
  ]
  await cycleIn(kubernetes, ["tenant=red:import"], { rulers })()
  assert.deepEqual(Object.keys(shown(world)), [`x/${nameOf("b")}`])
  put("red", "x", "c", "1")
  await cycleIn(kubernetes, ["tenant=red:import"])()
  assert.deepEqual(Object.keys(shown(world)).toSorted(), [`x/${nameOf("b")}`, `x/${nameOf("c")}`].toSorted())
})

test("gives groups whose names are one for the original names of their own", async () => {
  const { world, kubernetes } = scene(["red", "x", "a_b", "1"], ["red", "x", "a-b", "2"])
  await cycleIn(kubernetes, ["tenant=red:import"])()
  assert.deepEqual(shown(world), {
    [`x/${resourceNames(RED, "a_b")[0]}`]: [groupOf("a_b", "1")],
    [`x/${resourceNames(RED, "a-b")[1]}`]: [groupOf("a-b", "2")],
  })
})

test("a mirror follows its group, and goes with it", async () => {
  const { world, kubernetes, put, remove } = scene(["red", "x", "a", "1"], ["red", "x", "b", "1"])
  world.start()
  const run = cycleIn(kubernetes, ["tenant=red,namespace=x:mirror"])
  await run()
  put("red", "x", "a", "2")
  await run()
  assert.deepEqual(shown(world), {
    [`x/${nameOf("a")}`]: [groupOf("a", "2")],
    [`x/${nameOf("b")}`]: [groupOf("b", "1")],
  })
  kubernetes.writes.length = 0
  await run()
  assert.deepEqual(kubernetes.writes, [])
  remove("red", "x", "a")
  await run()
  assert.deepEqual(shown(world), { [`x/${nameOf("b")}`]: [groupOf("b", "1")] })
  remove("red", "x", "b") // one by one down to none
  await run()
  assert.deepEqual(shown(world), {})
  await world.clock.advance(60_000)
  assert.deepEqual(
    world.calls.filter((call) => /^(?:set|delete|record)/.test(call)),
    [],
  )
  await world.stop()
})

test("mirrors stay where a ruler cannot be read, or has nothing at once, or more are gone than may be deleted", async () => {
  const groups = ["a", "b", "c"]
  const { world, kubernetes, remove, put } = scene(...groups.map((name) => ["red", "x", name, "1"] as const))
  const run = cycleIn(kubernetes, ["tenant=red:mirror"], { maxDeletes: 1 })
  await run()
  for (const name of groups) remove("red", "x", name)
  const { skipped } = await run()
  assert.deepEqual(
    skipped.map(({ reason, message }) => `${reason}: ${message}`),
    groups.map(
      () =>
        "deletion: its tenant has no groups at the rulers any more: it stays, in case that they lost them; delete it if that is right",
    ),
  )
  put("red", "x", "a", "1")
  world.happens = () => "before"
  const failed = await run()
  assert.deepEqual([...failed.failures], [["red at cortex", "connection refused"]])
  assert.equal(world.resources.size, 3)
  world.happens = () => undefined
  const capped = await run()
  assert.equal(world.resources.size, 2)
  assert.deepEqual(
    capped.skipped.map(({ message }) => message),
    ["not more than 1 mirrors are deleted in a cycle"],
  )
  await run()
  assert.deepEqual(Object.keys(shown(world)), [`x/${nameOf("a")}`])
})

test("leaves a mirror that somebody changed, a copy of one, and what only looks like one", async () => {
  const { world, kubernetes, put, remove } = scene(["red", "x", "a", "1"], ["red", "x", "b", "1"])
  const run = cycleIn(kubernetes, ["tenant=red:mirror"])
  await run()
  const mirror = world.resources.get(`x/${nameOf("a")}`)
  kubernetes.edit(`x/${nameOf("a")}`, { tenants: ["red"], groups: [groupOf("a", "mine")] })
  world.apply("x", "copy", mirror?.spec, { ...mirror?.metadata.annotations })
  world.apply("x", "plain", { tenants: ["red"], groups: [] }, { "fedstack.dev/direction": "ruler" })
  put("red", "x", "a", "2")
  const { skipped } = await run()
  assert.deepEqual(
    skipped.map(({ reason, subject }) => [reason, subject]),
    [["edited", `x/${nameOf("a")}`]],
  )
  const before = shown(world)
  remove("red", "x", "a")
  await run()
  assert.deepEqual(shown(world), before)
})

test("a mirror becomes the source where its tenant is imported from now on", async () => {
  const { world, kubernetes } = scene(["red", "x", "a", "1"])
  await cycleIn(kubernetes, ["tenant=red:mirror"])()
  const run = cycleIn(kubernetes, ["tenant=red:import"])
  await run()
  assert.deepEqual(Object.keys(world.resources.get(`x/${nameOf("a")}`)?.metadata.annotations ?? {}), [
    "fedstack.dev/origin",
  ])
  world.start()
  await world.clock.advance(60_000)
  assert.deepEqual(world.resources.get(`x/${nameOf("a")}`)?.status?.owned?.length, 1)
  await run()
  kubernetes.writes.length = 0
  await run()
  assert.deepEqual(kubernetes.writes, [])
  await world.stop()
})

test("one tenant's fault, a missing namespace and one that is not watched hold back no other", async () => {
  const { world, kubernetes } = scene(
    ["red", "x", "a", "1"],
    ["blue", "x", "a", "1"],
    ["blue", "missing", "a", "1"],
    ["blue", "missing", "b", "1"],
    ["blue", "unwatched", "a", "1"],
    ["blue", "Not A Namespace", "a", "1"],
  )
  const ruler = world.ruler("cortex")
  const rulers = [
    {
      ...ruler,
      tenants: () => Promise.resolve(new Set([RED, "blue" as TenantId])),
      list: (...[tenant, signal]: Parameters<typeof ruler.list>) =>
        tenant === RED ? Promise.reject(new RulerError("unreadable", "store error (400)")) : ruler.list(tenant, signal),
    },
  ]
  const { skipped, failures } = await cycleIn(kubernetes, ["*:import"], { rulers })()
  assert.deepEqual(Object.keys(shown(world)), [`x/${nameOf("a", "blue" as TenantId)}`])
  assert.deepEqual(
    skipped.map(({ subject, message }) => `${subject}: ${message}`),
    [
      'group "a" in "unwatched": the namespace unwatched is none of those that are synchronised',
      'group "a" in "Not A Namespace": its namespace at the ruler is that of no namespace of Kubernetes',
      '"b": there is no namespace missing in Kubernetes',
    ],
  )
  assert.deepEqual([...failures.values()].toSorted(), ["no namespace missing", "store error (400)"])
})

test("imports nothing while the resources or what was imported are not wholly known", async () => {
  const { world, kubernetes } = scene(["red", "x", "a", "1"], ["red", "y", "a", "1"])
  const run = cycleIn(kubernetes, ["tenant=red:import"])
  world.incomplete = new Map([["x", "403"]])
  world.apply("y", "odd", { tenants: ["red"], groups: "none" })
  assert.deepEqual(
    (await run()).skipped.map(({ message }) => message),
    [
      "it is not known whether a resource in the namespace x has it: 403",
      "it is not known whether a resource in the namespace y has it: it cannot be read which groups the resource y/odd has",
    ],
  )
  world.incomplete = new Map()
  world.delete("y/odd")
  const map = { metadata: { namespace: "own", name: "imports" }, data: { x: '["a"\n' } }
  kubernetes.configMaps.set("own/imports", map)
  const { failures } = await run()
  assert.deepEqual(shown(world), {})
  assert.match(
    [...failures.values()].join(""),
    /has a line below x that is no \["group","tenant"\]: \["a"\. Nothing is/,
  )
})
