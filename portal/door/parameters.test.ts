import assert from "node:assert/strict"
import { test } from "node:test"
import { parameters } from "./parameters.ts"

const capped = (query: string, body?: string) => parameters(query, body, true)

test("a query without a timeout gets the longest", () => {
  assert.deepEqual(capped("query=up"), { query: "query=up&timeout=60" })
})

for (const [timeout, written] of [
  ["10s", "10"],
  ["1m30s", "60"],
  ["2h", "60"],
  ["5", "5"],
  ["0.5", "0.5"],
  ["1e9", "60"],
  ["Inf", "60"],
  ["-1", "60"],
  ["abc", "60"],
  ["", "60"],
] as const) {
  test(`a timeout of "${timeout}" becomes ${written}`, () => {
    assert.deepEqual(capped(`query=up&timeout=${encodeURIComponent(timeout)}`), {
      query: `query=up&timeout=${written}`,
    })
  })
}

test("of several timeouts, also of the form, one is left", () => {
  assert.deepEqual(capped("timeout=1h&timeout=2h", "query=up&timeout=20s&timeout=3h"), {
    query: "timeout=20",
    body: "query=up",
  })
})

test("what some servers take for a separator is written as a part of the value", () => {
  assert.deepEqual(capped("query=up;timeout=1h?timeout=2h"), {
    query: "query=up%3Btimeout%3D1h%3Ftimeout%3D2h&timeout=60",
  })
})

test("other requests keep what they have", () => {
  assert.deepEqual(parameters("match[]=up&timeout=1h", undefined, false), { query: "match%5B%5D=up&timeout=1h" })
})
