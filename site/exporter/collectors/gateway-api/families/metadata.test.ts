import assert from "node:assert/strict"
import { test } from "node:test"
import { samplesOf } from "../exposition.testing.ts"
import { CUSTOM_RESOURCE, renderAs, samplesAs } from "../render.testing.ts"

const identity = { name: "g", namespace: "ns" }
const labelled = (labels: unknown) =>
  samplesAs("Gateway", { metadata: { ...identity, labels } }, /_labels$/).map((line) =>
    line.replace("gatewayapi_gateway_labels", ""),
  )

const cases: readonly [string, unknown, readonly string[]][] = [
  [
    "keys with signs",
    { "app.kubernetes.io/Name": "a b" },
    ['{app_kubernetes_io_Name="a b",name="g",namespace="ns"} 1'],
  ],
  ["none", {}, []],
  ["no labels at all", undefined, []],
  ["only one without a value", { marker: "" }, ['{name="g",namespace="ns"} 1']],
  ["a digit first", { "4th": "a" }, ['{_4th="a",name="g",namespace="ns"} 1']],
  [
    "the names of the object's own labels",
    { name: "other", namespace: "other", customresource_kind: "Other" },
    [
      '{customresource_kind_conflict1="Other",name="g",name_conflict1="other",namespace="ns",namespace_conflict1="other"} 1',
    ],
  ],
  [
    "keys that become alike",
    { "a.b": "dot", a_b: "low", "a-b": "dash", a_b_conflict1: "taken" },
    ['{a_b="dash",a_b_conflict1="dot",a_b_conflict1_conflict1="taken",a_b_conflict2="low",name="g",namespace="ns"} 1'],
  ],
  ["quotes, backslashes and line feeds", { a: 'b"\\\n' }, ['{a="b\\"\\\\\\n",name="g",namespace="ns"} 1']],
  [
    "names that are none or Prometheus' own",
    { "": "empty", "/.": "signs", __name__: "up", été: "x" },
    ['{_name__="up",_t_="x",label="empty",label_conflict1="signs",name="g",namespace="ns"} 1'],
  ],
  ["values that are no scalars", { a: {}, b: null, c: ["x"], d: 1 }, ['{d="1",name="g",namespace="ns"} 1']],
  ["something else than an object", "a=b", []],
]

for (const [title, labels, expected] of cases) {
  test(`exports Kubernetes labels: ${title}`, () => assert.deepEqual(labelled(labels), expected))
}

test("labels that collide are the same in whatever order they stand", () => {
  assert.deepEqual(labelled({ "a.b": "1", "a-b": "2" }), labelled({ "a-b": "2", "a.b": "1" }))
})

test("only allowed labels are exported, and no sample where none is", () => {
  const object = { metadata: { ...identity, labels: { team: "a", secret: "b" } } }
  const labels = (allowed: string) =>
    samplesOf(renderAs("Gateway", object, (key) => key === allowed).texts.join(""), CUSTOM_RESOURCE).filter((line) =>
      line.startsWith("gatewayapi_gateway_labels"),
    )
  assert.deepEqual(labels("team"), ['gatewayapi_gateway_labels{name="g",namespace="ns",team="a"} 1'])
  assert.deepEqual(labels("other"), [])
})

const times: readonly [unknown, string | undefined][] = [
  ["2026-01-01T00:00:00Z", "1767225600"],
  ["2026-01-01T01:00:00+01:00", "1767225600"],
  ["2026-01-01T00:00:00.25Z", "1767225600.25"],
  ["1970-01-01T00:00:00Z", "0"],
  ["2026-01-01T00:00:00", undefined],
  ["2026-01-01", undefined],
  ["2026-13-01T00:00:00Z", undefined],
  ["soon", undefined],
  [1767225600, undefined],
  [null, undefined],
]

for (const [creationTimestamp, expected] of times) {
  test(`exports the time ${JSON.stringify(creationTimestamp)} as ${expected ?? "no sample"}`, () => {
    const object = { metadata: { ...identity, creationTimestamp } }
    assert.deepEqual(
      samplesAs("Gateway", object, /_created$/).map((line) => line.replace(/.* /, "")),
      expected === undefined ? [] : [expected],
    )
  })
}

test("the time of a deletion is 0 while an object of Gateway API lives, and has no sample for Kuadrant's policies", () => {
  const deleted = (kind: string, deletionTimestamp?: string) =>
    samplesAs(kind, { metadata: { ...identity, deletionTimestamp } }, /_deleted$/).map((line) =>
      line.replace(/.* /, ""),
    )
  assert.deepEqual(deleted("Gateway"), ["0"])
  assert.deepEqual(deleted("AuthPolicy"), [])
  assert.deepEqual(deleted("Gateway", "2026-01-01T00:00:00Z"), ["1767225600"])
  assert.deepEqual(deleted("AuthPolicy", "2026-01-01T00:00:00Z"), ["1767225600"])
})
