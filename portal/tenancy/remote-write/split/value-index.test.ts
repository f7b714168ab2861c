import assert from "node:assert/strict"
import test from "node:test"
import fc from "fast-check"
import { ValueIndex } from "./value-index.ts"

/** As a reader of series leaves values: where they stand in a message, behind a label that does not count. */
function find(index: ValueIndex, values: readonly (string | undefined)[], offset = 0): number {
  const bytes = Buffer.concat([Buffer.alloc(offset), ...values.map((value) => Buffer.from(value ?? ""))])
  const ranges = [7, 7, 7, 7]
  let at = offset
  for (const value of values) {
    const end = at + Buffer.byteLength(value ?? "")
    ranges.push(0, 0, ...(value === undefined ? [-1, -1] : [at, end]))
    at = end
  }
  return index.find(bytes, Int32Array.from(ranges), 1)
}

test("has one number for the same values, wherever they stand, and another for others", () => {
  const index = new ValueIndex()
  const given = [
    ["red"],
    ["blue"],
    ["rec"],
    ["red", ""],
    ["", "red"],
    ["re", "d"],
    ["r", "ed"],
    ["é"],
    ["x".repeat(256)],
    // with the same hash
    ["18tr8l422t4"],
    ["1cjhwux3qsp"],
    [""],
  ]
  const numbers = given.map((values) => find(index, values))
  assert.deepEqual(numbers, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
  assert.deepEqual(
    given.map((values) => find(index, values, 13)),
    numbers,
  )
  // one that is missing is as one that is empty
  assert.equal(find(index, [undefined]), 11)
  assert.equal(find(index, [undefined, "red"]), 4)
})

test("tells values apart as a map of texts does", () => {
  const value = fc.oneof(
    fc.string({ maxLength: 3, unit: fc.constantFrom("a", "b", "\0") }),
    fc.string({ maxLength: 300 }),
  )
  fc.assert(
    fc.property(fc.array(fc.tuple(value, value), { maxLength: 200 }), (all) => {
      const index = new ValueIndex()
      const numbers = new Map<string, number>()
      for (const pair of all) {
        const number = find(index, pair)
        if (Buffer.byteLength(pair.join("")) > 396) {
          assert.equal(number, -1)
          continue
        }
        const key = JSON.stringify(pair)
        assert.equal(number, numbers.get(key) ?? numbers.size)
        numbers.set(key, number)
      }
    }),
  )
})

test("keeps ten thousand, of which it finds all, and no long ones", () => {
  const index = new ValueIndex()
  assert.equal(find(index, ["x".repeat(398)]), 0)
  assert.equal(find(index, ["x".repeat(399)]), -1)
  for (let number = 1; number < 10_000; number++) {
    assert.equal(index.isFull, number > 5000)
    assert.equal(find(index, [`value ${number}`]), number)
  }
  assert.equal(find(index, ["one more"]), -1)
  for (let number = 1; number < 10_000; number++) assert.equal(find(index, [`value ${number}`]), number)
})
