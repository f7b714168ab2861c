import assert from "node:assert/strict"
import { test } from "node:test"
import type { TenantId } from "../../tenants/tenant.ts"
import { World } from "../updater/world.testing.ts"
import { openImports } from "./imports.ts"
import type { Origin } from "./origin.ts"
import { FakeKubernetes } from "./testing.ts"

const SIGNAL = new AbortController().signal
const place = (group: string, tenant = "red", namespace = "x"): readonly [string, Origin] => [
  namespace,
  { tenant: tenant as TenantId, namespace, group },
]

function open() {
  const kubernetes = new FakeKubernetes(new World())
  const imports = openImports(kubernetes.api, { namespace: "own", name: "imports" })
  const has = (...[group, tenant, namespace]: Parameters<typeof place>): boolean => {
    const [at, origin] = place(group, tenant, namespace)
    return imports.has(at, origin)
  }
  const data = () => (kubernetes.configMaps.get("own/imports") as { data?: object } | undefined)?.data
  return { kubernetes, imports, has, data }
}

test("records each group with its tenants, sorted, below its namespace, and writes only what is new", async () => {
  const { kubernetes, imports, has, data } = open()
  await imports.load(SIGNAL)
  await imports.add([], SIGNAL)
  assert.equal(data(), undefined)
  await imports.add([place("b"), place("a", "red"), place("a", "blue"), place('"', "red", "y")], SIGNAL)
  const expected = { x: '["a","blue","red"]\n["b","red"]\n', y: '["\\"","red"]\n' }
  assert.deepEqual(data(), expected)
  await imports.add([place("a")], SIGNAL)
  assert.deepEqual(kubernetes.writes, ["create own/imports"])
  assert.deepEqual([has("a"), has("a", "green"), has("a", "red", "y"), has("b", "blue")], [true, false, false, false])
})

test("what could not be written is not known, and the next is written all the same", async () => {
  const { kubernetes, imports, has, data } = open()
  await imports.load(SIGNAL)
  kubernetes.happens = () => "before"
  await assert.rejects(imports.add([place("a")], SIGNAL), { message: "the API is away" })
  assert.equal(has("a"), false)
  kubernetes.happens = () => undefined
  await imports.add([place("b")], SIGNAL)
  assert.deepEqual(data(), { x: '["b","red"]\n' })
})

test("writes of several at once follow each other", async () => {
  const { imports, data } = open()
  await imports.load(SIGNAL)
  await Promise.all(["a", "b", "c"].map((group) => imports.add([place(group)], SIGNAL)))
  assert.deepEqual(data(), { x: '["a","red"]\n["b","red"]\n["c","red"]\n' })
})

test("refuses to record more than the API takes, and keeps what it has", async () => {
  const { imports, has, data } = open()
  await imports.load(SIGNAL)
  await imports.add([place("a")], SIGNAL)
  await assert.rejects(imports.add([place("b".repeat(1_000_000))], SIGNAL), { code: "IMPORTS_FULL" })
  assert.deepEqual([has("a"), data()], [true, { x: '["a","red"]\n' }])
})

test("reads what people write: empty lines, several tenants, and none", async () => {
  const { kubernetes, imports, has } = open()
  kubernetes.configMaps.set("own/imports", {
    metadata: { namespace: "own", name: "imports" },
    ...{ data: { x: '\n["a","red","blue"]\n\n ["b"] \n' } },
  })
  await imports.load(SIGNAL)
  assert.deepEqual([has("a"), has("a", "blue"), has("b")], [true, true, false])
  for (const line of ["a", "{}", "[1]", "[]", '["a",1]', "null"]) {
    kubernetes.configMaps.set("own/imports", {
      metadata: { namespace: "own", name: "imports" },
      ...{ data: { x: `["a","red"]\n${line}\n` } },
    })
    await assert.rejects(imports.load(SIGNAL), { code: "IMPORTS_UNREADABLE" }, line)
  }
})
