import assert from "node:assert/strict"
import { test } from "node:test"
import * as fc from "fast-check"
import { Pace } from "./pace.ts"

const paceOf = (times: readonly number[]): Pace => {
  const pace = new Pace()
  for (const took of times) pace.add(took)
  return pace
}

test("expects answers that always take the same to take hardly longer", () => {
  assert.ok(Math.abs(paceOf(Array.from({ length: 50 }, () => 100)).most() - 125) < 0.1)
})

test("forgets one slow answer within ten others, and not at once", () => {
  const usual = Array.from({ length: 50 }, () => 100)
  assert.ok(paceOf([...usual, 400]).most() > 350)
  assert.ok(paceOf([...usual, 400, ...usual.slice(0, 10)]).most() < 200)
})

test("expects hardly an answer to take longer than it then does, whatever bounds they keep to", () => {
  const bounds = fc.record({ least: fc.integer({ min: 1, max: 500 }), spread: fc.integer({ min: 0, max: 300 }) })
  const parts = fc.array(fc.noBias(fc.integer({ min: 0, max: 1000 })), {
    minLength: 300,
    maxLength: 300,
  })
  fc.assert(
    fc.property(bounds, fc.noShrink(parts), ({ least, spread }, list) => {
      const pace = paceOf([])
      let late = 0
      for (const part of list) {
        const took = least + (part / 1000) * spread
        if (took > pace.most()) late++
        pace.add(took)
      }
      assert.ok(late <= 0.05 * list.length, `${late} of ${list.length}`)
      assert.ok(pace.most() <= least + spread * 2.6 + 30, `${pace.most()}`)
    }),
  )
})
