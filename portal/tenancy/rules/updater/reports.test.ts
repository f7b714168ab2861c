import assert from "node:assert/strict"
import { test } from "node:test"
import { TestClock } from "./clock.testing.ts"
import { Reports } from "./reports.ts"

test("reports a write that fails once for each resource, however often it is tried, and again after a success", async () => {
  const [clock, ending] = [new TestClock(), new AbortController()]
  const failed: string[] = []
  let [isBroken, tries] = [true, 0]
  const reports = new Reports({
    ...{ clock, signal: ending.signal, isReleasable: () => false },
    ledger: {
      report() {
        tries += 1
        return isBroken ? Promise.reject(new Error("no status subresource")) : Promise.resolve()
      },
      release: () => Promise.resolve(),
    },
    statusOf: () => ({ conditions: [], observedGeneration: tries }),
    failed: (owner) => void failed.push(owner),
  })
  const running = reports.run()
  for (const owner of ["a/x", "a/y"]) reports.touch(owner)
  await clock.advance(60_000)
  assert.ok(tries > 6, String(tries))
  assert.deepEqual(failed, ["a/x", "a/y"])
  isBroken = false
  await clock.advance(120_000)
  isBroken = true
  reports.touch("a/x")
  await clock.advance(60_000)
  assert.deepEqual(failed, ["a/x", "a/y", "a/x"])
  ending.abort()
  await running
})
