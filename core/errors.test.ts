import assert from "node:assert/strict"
import { test } from "node:test"
import { ConfigurationError, defineError, explain, FedstackError, UsageError } from "#core/errors.ts"

const notShared = defineError("NOT_SHARED", 403, "{selector} is not shared with {client}; {client} may read {count}.")

test("a declared error fills every placeholder, and takes $& and {x} in values literally", () => {
  const error = notShared({ selector: "$&{client}", client: "a", count: 3 })
  assert.ok(error instanceof FedstackError)
  assert.deepEqual(
    [error.name, error.code, error.status, error.message],
    ["FedstackError", "NOT_SHARED", 403, "$&{client} is not shared with a; a may read 3."],
  )
})

test("faults make one message, a line each, and the exit code tells their kind", () => {
  const faults = [
    { where: "--a", message: "is wrong" },
    { where: "B", message: "too" },
  ]
  const usage = new UsageError(faults)
  assert.deepEqual([usage.message, usage.exitCode, usage.faults], ["--a: is wrong\nB: too", 2, faults])
  assert.equal(new ConfigurationError(faults).exitCode, 1)
})

const explained: readonly (readonly [error: unknown, text: string])[] = [
  ["text", "text"],
  [undefined, "undefined"],
  [new Error("outer", { cause: new Error("inner", { cause: "deep" }) }), "outer: inner: deep"],
  [new Error("outer: inner", { cause: new Error("inner") }), "outer: inner"],
  [new AggregateError([new Error("a"), new Error("b")]), "a; b"],
  [new AggregateError([new Error("a")], "all failed"), "all failed"],
  [new Error("no answer", { cause: new AggregateError([new Error("refused")]) }), "no answer: refused"],
]
for (const [error, text] of explained) test(`explains ${text}`, () => assert.equal(explain(error), text))

test("explaining an error that causes itself ends", () => {
  const error = new Error("loop")
  error.cause = new Error("inner", { cause: error })
  assert.equal(explain(error), "loop: inner")
})
