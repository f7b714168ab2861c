import assert from "node:assert/strict"
import { test } from "node:test"
import { createDigests } from "./digests.ts"
import type { Place, Reading } from "./reading.ts"
import { targetOf } from "./testing.ts"

const placeOf = (members: number, keys = 1, digest: string | undefined = "d1"): Place => ({
  kind: "counted",
  keys,
  members,
  digest,
})
const readingOf = (place: Place, opaSeconds = 0.01, digests = true): Reading => ({
  places: [place],
  way: "query",
  opaSeconds,
  digests,
})
const target = targetOf(1)
const T = 1_000_000

test("digests are due at once, and then after their interval", () => {
  const digests = createDigests({ interval: 60, budget: 0.01 })
  assert.equal(digests.due(T), true)
  digests.taken(T, [[target, readingOf(placeOf(5))]])
  assert.deepEqual([digests.due(T + 30_000), digests.due(T + 59_900), digests.interval()], [false, true, 60])
})

test("a difference is looked at again at once, as far as the budget goes, for it may have been a moment's", () => {
  const digests = createDigests({ interval: 600, budget: 0.01 })
  digests.taken(T, [[target, readingOf(placeOf(5), 0.4)]])
  digests.differ(true)
  assert.deepEqual([digests.due(T + 30_000), digests.due(T + 40_000), digests.interval()], [false, true, 600])
  digests.differ(false)
  assert.equal(digests.due(T + 40_000), false)
})

test("a clock that is set back does not put digests off", () => {
  const digests = createDigests({ interval: 60, budget: 0.01 })
  digests.taken(T, [[target, readingOf(placeOf(5))]])
  assert.equal(digests.due(T - 3_600_000), true)
})

test("the interval is stretched so that the slowest OPA stays within its budget", () => {
  const digests = createDigests({ interval: 30, budget: 0.01 })
  digests.taken(T, [
    [target, readingOf(placeOf(5), 0.1)],
    [targetOf(2, { pod: "opa-1" }), readingOf(placeOf(5), 0.9)],
  ])
  assert.deepEqual([digests.interval(), digests.due(T + 80_000), digests.due(T + 90_000)], [90, false, true])
  digests.taken(T, [[target, readingOf(placeOf(5), 0.1)]])
  assert.equal(digests.interval(), 30)
})

test("a digest is known as long as nothing visibly changed", () => {
  const digests = createDigests({ interval: 30, budget: 1 })
  digests.taken(T, [[target, readingOf(placeOf(5))]])
  assert.equal(digests.of(target, 0, placeOf(5, 1, undefined)), "d1")
  assert.equal(digests.of(target, 0, placeOf(5, 2, undefined)), "d1")
  assert.equal(digests.of(target, 0, placeOf(6, 1, undefined)), undefined)
  assert.equal(digests.of(target, 0, { kind: "undefined" }), undefined)
  assert.equal(digests.of(target, 1, placeOf(5)), undefined)
})

test("a pod that came back under another address is another one", () => {
  const digests = createDigests({ interval: 30, budget: 1 })
  digests.taken(T, [[target, readingOf(placeOf(5))]])
  assert.equal(digests.of(targetOf(2), 0, placeOf(5)), undefined)
})

test("a pod whose documents are read has no digest", () => {
  const digests = createDigests({ interval: 30, budget: 1 })
  digests.taken(T, [[target, { ...readingOf(placeOf(5, 1, undefined), 99, false), way: "documents" }]])
  assert.deepEqual([digests.of(target, 0, placeOf(5)), digests.interval()], [undefined, 30])
})
