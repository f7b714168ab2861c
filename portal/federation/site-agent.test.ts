import assert from "node:assert/strict"
import { test } from "node:test"
import { secureContextOf } from "./site-agent.ts"

const contextOf = (name: string, tls?: { readonly min_version: "TLS12" | "TLS13" }) =>
  secureContextOf({ name, tls, proxy: undefined, prefix: "" }, new Map())

test("sites without TLS settings of their own share one context, and one that has some does not", () => {
  const shared = contextOf("site-a")
  assert.equal(contextOf("site-b"), shared)
  assert.notEqual(contextOf("site-c", { min_version: "TLS13" }), shared)
  assert.equal(contextOf("site-d"), shared)
})
