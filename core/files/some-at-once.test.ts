import assert from "node:assert/strict"
import { test } from "node:test"
import { setImmediate as turn } from "node:timers/promises"
import { someAtOnce } from "./some-at-once.ts"

const NUMBERS = Array.from({ length: 40 }, (_, index) => index)

test("does the work for each item, for few at the same time, and returns the results in their order", async () => {
  let [underWay, most] = [0, 0]
  const results = await someAtOnce(NUMBERS, async (number) => {
    most = Math.max(most, (underWay += 1))
    for (let turns = number % 3; turns >= 0; turns -= 1) await turn()
    underWay -= 1
    return number * 2
  })
  assert.deepEqual(
    results,
    NUMBERS.map((number) => number * 2),
  )
  assert.equal(most, 16)
})

test("rejects with the first failure when nothing is under way any more, and begins no other", async () => {
  const [begun, ended]: [number[], number[]] = [[], []]
  const failing = someAtOnce(NUMBERS, async (number) => {
    begun.push(number)
    if (number === 2 || number === 3) throw new Error(`${number} fails`)
    await turn()
    ended.push(number)
  })
  await assert.rejects(failing, { message: "2 fails" })
  assert.deepEqual(begun, NUMBERS.slice(0, 16))
  assert.equal(ended.length, 14)
})
