import assert from "node:assert/strict"
import { test } from "node:test"
import { createLogger } from "#core/log/logger.ts"
import { retry } from "./retry.ts"

function start() {
  const lines: string[] = []
  const log = createLogger({ level: "info", format: "logfmt" }, "test", (line) =>
    lines.push(line.replace(/^ts=\S+ /, "").trim()),
  )
  return { lines, log, ending: new AbortController() }
}

test("repeats until success, reports each failure and logs each new reason", async (t) => {
  t.mock.method(Math, "random", () => -1) // no pauses
  const { lines, log, ending } = start()
  const reasons = ["disk full", "disk full", "disk gone"]
  const reported: string[] = []
  const attempt = (): Promise<void> => {
    const reason = reasons[reported.length]
    return reason === undefined ? Promise.resolve() : Promise.reject(new Error(reason))
  }
  const failed = (reason: string): void => void reported.push(reason)
  assert.equal(await retry(attempt, { signal: ending.signal, log, task: "writing", failed }), true)
  assert.deepEqual(reported, reasons)
  assert.deepEqual(lines, [
    'level=warn component=test msg="writing failed, retrying until it succeeds" reason="disk full"',
    'level=warn component=test msg="writing failed, retrying until it succeeds" reason="disk gone"',
  ])
})

test("stops when aborted, during an attempt and during a pause", async () => {
  const { lines, log, ending } = start()
  const during = retry(() => Promise.reject(new Error("disk full")), {
    signal: ending.signal,
    log,
    task: "writing",
    failed: () => setImmediate(() => ending.abort()),
  })
  assert.equal(await during, false)
  assert.equal(lines.length, 1)
  const aborting = new AbortController()
  const attempt = (): Promise<void> => {
    aborting.abort()
    return Promise.reject(new Error("aborted"))
  }
  assert.equal(await retry(attempt, { signal: aborting.signal, log, task: "writing" }), false)
  assert.equal(lines.length, 1)
})
