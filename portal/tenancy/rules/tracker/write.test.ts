import assert from "node:assert/strict"
import { test } from "node:test"
import type { KubernetesApi } from "#core/kubernetes/api.ts"
import { KubernetesError } from "#core/kubernetes/errors.ts"
import type { KubernetesRequest } from "#core/kubernetes/resource.ts"
import type { TenantId } from "../../tenants/tenant.ts"
import type { RuleResource } from "../resources/rule-resource.ts"
import { groupOf } from "../updater/world.testing.ts"
import type { PlannedResource } from "./plan.ts"
import { createWriter, isWithoutNamespace } from "./write.ts"

const SIGNAL = new AbortController().signal
const ORIGIN = { tenant: "red" as TenantId, namespace: "ns", group: "g" }
const planned = (mode: "import" | "mirror"): PlannedResource => ({
  ...{ ruler: "cortex", origin: ORIGIN, group: groupOf("g", "up") },
  ...{ namespace: "x", name: "red-1", mode },
})
const AT: RuleResource = { metadata: { namespace: "x", name: "red-1", uid: "u", resourceVersion: "7", generation: 4 } }

/** A writer whose API stores all with that generation, and what it is sent. */
function writerTo(generation: number | undefined, finalizers = true) {
  const sent: string[] = []
  const api: KubernetesApi = {
    namespace: "own",
    send: ({ verb, body }: KubernetesRequest) => {
      const value = body?.value as RuleResource
      sent.push(`${verb} ${JSON.stringify(Array.isArray(value) ? value : value.metadata)}`)
      return Promise.resolve({
        ...AT,
        metadata: { ...AT.metadata, ...(generation === undefined ? { generation: undefined } : { generation }) },
      })
    },
    stream: () => Promise.reject(new Error("no watches here")),
    close: () => Promise.resolve(),
  }
  return { writer: createWriter(api, finalizers), sent }
}

const ORIGIN_MARK = { "fedstack.dev/origin": JSON.stringify(ORIGIN) }
const NAMED = { name: "red-1", namespace: "x" }

test("what is imported has a finalizer until it is recorded, where finalizers are set", async () => {
  for (const finalizers of [true, false]) {
    const { writer, sent } = writerTo(1, finalizers)
    await writer.create(planned("import"), SIGNAL)
    const guard = finalizers ? { finalizers: ["fedstack.dev/importing"] } : {}
    assert.deepEqual(sent, [`create ${JSON.stringify({ ...NAMED, annotations: ORIGIN_MARK, ...guard })}`])
  }
})

test("a mirror has the generation in which it was written, also where the API counts otherwise", async () => {
  const marks = { ...ORIGIN_MARK, "fedstack.dev/direction": "ruler", "fedstack.dev/mirrored-generation": "1" }
  const created = `create ${JSON.stringify({ ...NAMED, annotations: marks })}`
  const noted = (generation: number): string =>
    `patch ${JSON.stringify({ uid: "u", resourceVersion: "7", annotations: { "fedstack.dev/mirrored-generation": String(generation) } })}`
  for (const [generation, notes] of [
    [1, []],
    [undefined, []],
    [3, [noted(3)]],
  ] as const) {
    const { writer, sent } = writerTo(generation)
    await writer.create(planned("mirror"), SIGNAL)
    assert.deepEqual(sent, [created, ...notes])
  }
  for (const [generation, notes] of [
    [5, []],
    [4, [noted(4)]],
  ] as const) {
    const { writer, sent } = writerTo(generation)
    await writer.update(AT, planned("mirror"), SIGNAL)
    assert.deepEqual(sent, [noted(5), ...notes])
  }
})

test("settles what is being imported alone", async () => {
  const { writer, sent } = writerTo(1)
  await writer.settle(AT, SIGNAL)
  assert.deepEqual(sent, [])
  const finalizers = ["a", "fedstack.dev/importing"]
  await writer.settle({ metadata: { ...AT.metadata, finalizers } }, SIGNAL)
  assert.equal(sent.length, 1)
  assert.match(sent[0] ?? "", /"op":"remove","path":"\/metadata\/finalizers\/1"/)
})

test("a namespace is missing where the API names it, or is ending", () => {
  const causes = (reason: string) => ({ reason: "Forbidden", details: { causes: [{ reason }] } })
  const errors: readonly (readonly [error: unknown, isMissing: boolean])[] = [
    [new KubernetesError("namespaces not found", 404, { details: { name: "x" } }), true],
    [new KubernetesError("the server could not find the requested resource", 404), false],
    [new KubernetesError("forbidden", 403, causes("NamespaceTerminating")), true],
    [new KubernetesError("forbidden", 403, causes("Quota")), false],
    [new KubernetesError("forbidden", 403, { reason: "Forbidden" }), false],
    [new KubernetesError("conflict", 409, { ...causes("NamespaceTerminating"), reason: "Conflict" }), false],
    [new Error("404"), false],
  ]
  for (const [error, isMissing] of errors) assert.equal(isWithoutNamespace(error), isMissing, String(error))
})
