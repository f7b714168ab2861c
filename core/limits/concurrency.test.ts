import assert from "node:assert/strict"
import { test } from "node:test"
import { setImmediate as turn } from "node:timers/promises"
import { limitConcurrency } from "./concurrency.ts"

/** Runs works through a limit; each ends when the test ends it. */
function start(most: number, count: number, soon?: number) {
  const limit = limitConcurrency(most)
  const begun: number[] = []
  const ends = Array.from({ length: count }, () => Promise.withResolvers<void>())
  const results = ends.map(({ promise }, index) =>
    limit(() => {
      begun.push(index)
      return promise
    }, soon),
  )
  return { begun, ends, results }
}

test("runs as many at once as the limit says, and the others in their order as these end or fail", async () => {
  const { begun, ends, results } = start(2, 4)
  await turn()
  assert.deepEqual(begun, [0, 1])
  ends[1]?.resolve()
  await turn()
  assert.deepEqual(begun, [0, 1, 2])
  ends[0]?.reject(new Error("failed"))
  await assert.rejects(results[0] ?? Promise.resolve(), /failed/)
  await turn()
  assert.deepEqual(begun, [0, 1, 2, 3])
})

test("no longer counts what runs for long, and counts it once", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] })
  const { begun, ends } = start(1, 3, 100)
  await turn()
  t.mock.timers.tick(100)
  await turn()
  assert.deepEqual(begun, [0, 1])
  ends[0]?.resolve()
  await turn()
  assert.deepEqual(begun, [0, 1])
  ends[1]?.resolve()
  await turn()
  assert.deepEqual(begun, [0, 1, 2])
})
