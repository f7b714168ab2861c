import assert from "node:assert/strict"
import { test } from "node:test"
import { Attempts } from "./attempts.ts"
import { groupOf } from "./world.testing.ts"

const group = groupOf("g", "1")
const key = "k"

test("does not write again what was refused, until that is another group or a long time is over", (t) => {
  t.mock.method(Math, "random", () => 1)
  const attempts = new Attempts()
  const why = { reason: "Refused", message: "bad" } as const
  attempts.failed({ key, group }, why, 0)
  assert.equal(attempts.blocked({ key, group }, 119_999)?.reason, "Refused")
  assert.equal(attempts.blocked({ key, group: groupOf("g", "2") }, 1), undefined)
  assert.equal(attempts.blocked({ key, group }, 120_000), undefined)
  assert.deepEqual(
    [attempts.nextAt(), attempts.due(119_999), attempts.due(120_000), attempts.due(120_000)],
    [120_000, [], [key], []],
  )
  attempts.failed({ key, group }, why, 120_000)
  assert.equal(attempts.nextAt(), 360_000)
})

test("repairs once at once what another changes, then ever more rarely, and tells so from the second time on", (t) => {
  t.mock.method(Math, "random", () => 1)
  const attempts = new Attempts()
  attempts.wrote(key, group, 0)
  assert.equal(attempts.blocked({ key, group }, 1), undefined)
  attempts.wrote(key, group, 1000)
  assert.equal(attempts.contested(key), undefined)
  assert.equal(attempts.blocked({ key, group }, 60_999)?.reason, "ConflictOfWriters")
  assert.equal(attempts.blocked({ key, group }, 61_000), undefined)
  attempts.wrote(key, group, 61_000)
  assert.equal(attempts.contested(key)?.reason, "ConflictOfWriters")
  assert.equal(attempts.blocked({ key, group }, 180_999)?.reason, "ConflictOfWriters")
  assert.equal(attempts.blocked({ key, group: groupOf("g", "2") }, 180_999), undefined)
  attempts.seen(key, group, 301_000)
  assert.equal(attempts.contested(key)?.reason, "ConflictOfWriters")
  attempts.seen(key, group, 301_001)
  assert.equal(attempts.contested(key), undefined)
})
