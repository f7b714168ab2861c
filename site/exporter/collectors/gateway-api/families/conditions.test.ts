import assert from "node:assert/strict"
import { test } from "node:test"
import { samplesOf } from "../exposition.testing.ts"
import { renderAs, samplesAs } from "../render.testing.ts"

const metadata = { name: "n", namespace: "ns", generation: 5 }

/** The values of a family. */
const values = (kind: string, object: object, suffix: RegExp): readonly string[] =>
  samplesAs(kind, object, suffix).map((line) => line.replace(/.*\} /s, ""))

/** The lag of a route whose only parent has conditions with these observed generations. */
function lagOf(...observed: readonly unknown[]): readonly string[] {
  const conditions = observed.map((observedGeneration, index) => ({ type: `T${index}`, observedGeneration }))
  return values("HTTPRoute", { metadata, status: { parents: [{ parentRef: { name: "a" }, conditions }] } }, /_lag$/)
}

test("the lag of an entry is that of its oldest condition; one that has none, or 0, does not count", () => {
  assert.deepEqual(lagOf(5, 3, 4), ["2"])
  assert.deepEqual(lagOf(7), ["-2"])
  assert.deepEqual(lagOf(0, undefined, 4), ["1"])
  assert.deepEqual(lagOf(0), [])
  assert.deepEqual(lagOf("4", null), [])
  assert.deepEqual(lagOf(), [])
})

test("the lag of what several controllers write is that of each type", () => {
  const conditions = [{ type: "A", observedGeneration: 5 }, { type: "B", observedGeneration: 2 }, { type: "C" }]
  assert.deepEqual(values("Gateway", { metadata, status: { conditions } }, /_status_observed_generation_lag$/), [
    "0",
    "3",
  ])
})

test("of a type that stands there twice the first one counts, with its reason", () => {
  const conditions = [
    { type: "Enforced", status: "True", reason: "First" },
    { type: "Enforced", status: "False", reason: "Second" },
  ]
  assert.deepEqual(samplesAs("TLSPolicy", { metadata, status: { conditions } }, /_status(?:_condition_reason)?$/), [
    'gatewayapi_tlspolicy_status{name="n",namespace="ns",type="Enforced"} 1',
    'gatewayapi_tlspolicy_status_condition_reason{name="n",namespace="ns",reason="First",status="True",type="Enforced"} 1',
  ])
  assert.equal(renderAs("TLSPolicy", { metadata, status: { conditions } }).duplicates, 1)
})

test("a status is read in any case; one that is none has no sample", () => {
  const statuses = ["True", "yes", "FALSE", "no", "unknown", "Maybe", "", null, {}]
  const conditions = statuses.map((status, index) => ({ type: `T${index}`, status }))
  assert.deepEqual(values("Gateway", { metadata, status: { conditions } }, /_gateway_status$/), [
    "1",
    "1",
    "0",
    "0",
    "0",
  ])
})

test("values that only writing makes alike are one series", () => {
  const { texts, duplicates } = renderAs("HTTPRoute", { metadata, spec: { hostnames: ["a\ud800", "a\ud801"] } })
  assert.deepEqual(samplesOf(texts.join("")).filter((line) => line.includes("hostname=")).length, 1)
  assert.equal(duplicates, 1)
})
