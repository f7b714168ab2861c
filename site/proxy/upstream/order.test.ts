import assert from "node:assert/strict"
import { test } from "node:test"
import { rememberFailures } from "./order.ts"

const [FIRST, SECOND] = [new URL("http://first:9090"), new URL("http://second:9090")]

test("leaves none out, also where the time of one that was down ends between two looks at the clock", () => {
  let time = 0
  const order = rememberFailures(() => time++)
  order.keep([FIRST])
  order.tell(FIRST, false)
  for (let round = 0; round < 61_000; round++) assert.deepEqual(order.order([FIRST]), [FIRST])
})

test("asks one that failed after the others, for longer than usual scrapes are apart", () => {
  let time = 0
  const order = rememberFailures(() => time)
  order.keep([FIRST, SECOND])
  order.tell(FIRST, false)
  const orders = [0, 59_999, 60_000].map((at) => {
    time = at
    return order.order([FIRST, SECOND])
  })
  assert.deepEqual(orders, [
    [SECOND, FIRST],
    [SECOND, FIRST],
    [FIRST, SECOND],
  ])
})

test("shows no state of one that left the policy, also where it is told after that", () => {
  const order = rememberFailures(() => 0)
  order.keep([FIRST, SECOND])
  order.tell(SECOND, true)
  order.keep([SECOND])
  order.tell(FIRST, false)
  assert.deepEqual([...order.states()], [[SECOND.href, true]])
})
