import assert from "node:assert/strict"
import { test } from "node:test"
import { createDigests } from "./digests.ts"
import type { Place, Reading } from "./reading.ts"
import { targetOf } from "./testing.ts"

const placeOf = (members: number, keys = 1, digest: string | null = "d1"): Place => ({
  kind: "counted",
  keys,
  members,
  digest: digest ?? undefined,
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
  assert.equal(digests.of(target, 0, placeOf(5, 1, null)), "d1")
  assert.equal(digests.of(target, 0, placeOf(5, 2, null)), "d1")
  assert.equal(digests.of(target, 0, placeOf(6, 1, null)), undefined)
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
  digests.taken(T, [[target, { ...readingOf(placeOf(5, 1, null), 99, false), way: "documents" }]])
  assert.deepEqual([digests.of(target, 0, placeOf(5)), digests.interval()], [undefined, 30])
})

test("a digest is awaited where there may be one the next time, but not of an OPA that makes none", () => {
  const digests = createDigests({ interval: 30, budget: 1 })
  const [without, late, asleep] = [2, 3, 4].map((index) => targetOf(index, { pod: `opa-${index}` }))
  assert.ok(without && late && asleep)
  const none = readingOf(placeOf(5, 1, null), 0.01, false)
  digests.taken(T, [
    [target, readingOf(placeOf(5))],
    [without, none],
    [late, { ...none, gaveUpAfter: 2 }],
  ])
  const now = placeOf(5, 1, null)
  assert.deepEqual(
    [target, without, late, asleep].map((one) => digests.awaited(one, 0, now)),
    [false, false, true, true],
  )
  assert.equal(digests.awaited(target, 0, placeOf(6, 1, null)), true)
  assert.equal(digests.awaited(asleep, 0, { kind: "undefined" }), false)
})
