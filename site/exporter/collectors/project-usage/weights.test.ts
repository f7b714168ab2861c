import assert from "node:assert/strict"
import { test } from "node:test"
import { sortWeights, weightOf, weightsFor } from "./weights.ts"

const set = (from: number) => ({ from, vcpus: [], memoryMb: [] })

test("a server takes the latest set that is not younger than itself, else the oldest", () => {
  const weights = sortWeights([set(200), set(100), set(300)])
  const chosen = (startedAt: number) => weightsFor(weights, startedAt)?.from
  assert.deepEqual([50, 100, 199, 200, 1000].map(chosen), [100, 100, 100, 200, 300])
  assert.equal(weightsFor([], 5), undefined)
})

test("an amount takes the first bucket that holds it, else the largest, else weighs 1", () => {
  const [first] = sortWeights([
    {
      from: 0,
      vcpus: [
        { value: 8, weight: 3 },
        { value: 2, weight: 0.5 },
      ],
      memoryMb: [],
    },
  ])
  assert.deepEqual(
    [1, 2, 2.5, 8, 9].map((amount) => weightOf(first?.vcpus, amount)),
    [0.5, 0.5, 3, 3, 3],
  )
  assert.equal(weightOf(first?.memoryMb, 1), 1)
  assert.equal(weightOf(undefined, 1), 1)
})

test("what is written last counts among equals", () => {
  const bucket = (weight: number) => ({ value: 4, weight })
  const weights = sortWeights([
    { from: 1, vcpus: [bucket(9)], memoryMb: [] },
    { from: 1, vcpus: [bucket(1), bucket(2)], memoryMb: [] },
  ])
  assert.deepEqual(weights, [{ from: 1, vcpus: [bucket(2)], memoryMb: [] }])
})
