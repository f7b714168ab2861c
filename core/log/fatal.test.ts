import assert from "node:assert/strict"
import { test } from "node:test"
import { ConfigurationError, FedstackError } from "#core/errors.ts"
import { showFatal } from "./fatal.ts"

const faults = new ConfigurationError([
  { where: "a.yaml:1:2 b", message: "is wrong" },
  { where: "--c", message: 'has a "quote"' },
])
const unexpected = new Error("unexpected", { cause: new Error("deeper") })
unexpected.stack = "Error: unexpected\n    at x.ts:1"

/** Without the time. */
const json = (error: unknown) =>
  showFatal(error, "json", "proxy")
    .split("\n")
    .slice(0, -1)
    .map((line) => {
      const { ts: _ts, ...rest } = JSON.parse(line) as Record<string, unknown>
      return rest
    })

test("what ends a process is a line for each fault, and for people", () => {
  assert.equal(showFatal(faults, "logfmt", "proxy"), 'a.yaml:1:2 b: is wrong\n--c: has a "quote"\n')
  assert.equal(showFatal(new FedstackError("X", 500, "It is full."), "logfmt", "proxy"), "fedstack: It is full.\n")
  assert.equal(
    showFatal(unexpected, "logfmt", "proxy"),
    "fedstack: unexpected: deeper\nError: unexpected\n    at x.ts:1\n",
  )
  assert.equal(showFatal("text", "logfmt", "proxy"), "fedstack: text\n")
})

test("where the log is JSON, what ends a process is lines of the log", () => {
  const line = { level: "error", component: "proxy" }
  assert.deepEqual(json(faults), [
    { ...line, msg: "a.yaml:1:2 b: is wrong" },
    { ...line, msg: '--c: has a "quote"' },
  ])
  assert.deepEqual(json(new FedstackError("X", 500, "It is full.")), [{ ...line, msg: "It is full." }])
  assert.deepEqual(json(unexpected), [{ ...line, stack: unexpected.stack, msg: "unexpected: deeper" }])
})
