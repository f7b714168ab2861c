import assert from "node:assert/strict"
import { test } from "node:test"
import * as fc from "fast-check"
import { LatencyEstimate } from "./latency.ts"

const estimateOf = (times: readonly number[]): LatencyEstimate => {
  const estimate = new LatencyEstimate()
  for (const took of times) estimate.add(took)
  return estimate
}

test("expects responses that always take the same to take hardly longer", () => {
  assert.ok(Math.abs(estimateOf(Array.from({ length: 50 }, () => 100)).most() - 125) < 0.1)
})

test("forgets one slow response within ten others, and not at once", () => {
  const usual = Array.from({ length: 50 }, () => 100)
  assert.ok(estimateOf([...usual, 400]).most() > 350)
  assert.ok(estimateOf([...usual, 400, ...usual.slice(0, 10)]).most() < 200)
})

test("is seldom exceeded, whatever bounds responses keep to", () => {
  const bounds = fc.record({ least: fc.integer({ min: 1, max: 500 }), spread: fc.integer({ min: 0, max: 300 }) })
  const parts = fc.array(fc.noBias(fc.integer({ min: 0, max: 1000 })), {
    minLength: 300,
    maxLength: 300,
  })
  fc.assert(
    fc.property(bounds, fc.noShrink(parts), ({ least, spread }, list) => {
      const estimate = estimateOf([])
      let late = 0
      for (const part of list) {
        const took = least + (part / 1000) * spread
        if (took > estimate.most()) late++
        estimate.add(took)
      }
      assert.ok(late <= 0.05 * list.length, `${late} of ${list.length}`)
      assert.ok(estimate.most() <= least + spread * 2.6 + 30, `${estimate.most()}`)
    }),
  )
})
