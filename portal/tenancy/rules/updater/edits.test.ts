import assert from "node:assert/strict"
import { test } from "node:test"
import { EditThrottle } from "./edits.ts"

test("follows ten changes at once, then ever fewer, and all again after a while without any", () => {
  const edits = new EditThrottle(() => undefined)
  const followed: number[] = []
  for (let second = 0; second <= 3600; second += 10) if (edits.take("a/x", second * 1000) === 0) followed.push(second)
  assert.deepEqual(followed, [0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 150, 270, 510, 990, 1950])
  const quiet = 1950_000 + 2 * 1920_000 + 1
  assert.equal(edits.isThrottled("a/x", 3_600_000), true)
  assert.equal(edits.take("a/y", 3_600_000), 0)
  assert.equal(edits.isThrottled("a/x", quiet), false)
  assert.equal(edits.take("a/x", quiet), 0)
  assert.equal(edits.take("a/x", quiet + 1), 0)
})

test("reports the first change that is not followed at once, and when it is over", () => {
  const reported: [string, number][] = []
  const edits = new EditThrottle((key, seconds) => void reported.push([key, seconds]))
  for (let count = 0; count < 10; count++) assert.equal(edits.take("a/x", 0), 0)
  assert.equal(edits.isThrottled("a/x", 1000), false)
  assert.equal(edits.take("a/x", 1000), 59_000)
  assert.equal(edits.isThrottled("a/x", 1000), true)
  assert.equal(edits.isThrottled("a/y", 1000), false)
  assert.equal(edits.take("a/x", 60_000), 0)
  assert.deepEqual(reported, [
    ["a/x", 119.001],
    ["a/x", 240.001],
  ])
  assert.equal(edits.isThrottled("a/x", 60_000 + 240_001), false)
})
