import assert from "node:assert/strict"
import { test } from "node:test"
import { rememberHealth } from "./upstream-health.ts"

const [FIRST, SECOND] = [new URL("http://first:9090"), new URL("http://second:9090")]

test("leaves none out, also where the time of one that was down ends between two looks at the clock", () => {
  let time = 0
  const health = rememberHealth(() => time++)
  health.keep([FIRST])
  health.report(FIRST, false)
  for (let round = 0; round < 61_000; round++) assert.deepEqual(health.healthiestFirst([FIRST]), [FIRST])
})

test("tries one that failed after the others, for longer than usual scrapes are apart", () => {
  let time = 0
  const health = rememberHealth(() => time)
  health.keep([FIRST, SECOND])
  health.report(FIRST, false)
  const orders = [0, 59_999, 60_000].map((at) => {
    time = at
    return health.healthiestFirst([FIRST, SECOND])
  })
  assert.deepEqual(orders, [
    [SECOND, FIRST],
    [SECOND, FIRST],
    [FIRST, SECOND],
  ])
})

test("tries one that fails again and again after growing pauses, by one request at a time", () => {
  let time = 1000
  const health = rememberHealth(
    () => time,
    (failures) => 10 ** failures,
  )
  health.keep([FIRST, SECOND])
  const isFirst = (at: number): boolean => {
    time = at
    return health.healthiestFirst([FIRST, SECOND])[0] === FIRST
  }
  const fail = (): void => health.report(FIRST, false)
  health.trying(FIRST)
  assert.equal(isFirst(1000), true) // it was not down
  for (let request = 0; request < 64; request++) fail()
  assert.deepEqual([1009, 1010].map(isFirst), [false, true])
  health.trying(FIRST)
  assert.equal(isFirst(1010), false)
  fail()
  assert.deepEqual([1109, 1110].map(isFirst), [false, true])
  fail()
  assert.deepEqual([2109, 2110].map(isFirst), [false, true])
  health.report(FIRST, true)
  fail()
  assert.deepEqual([2119, 2120].map(isFirst), [false, true])
})

test("shows no state of one that left the policy, also where it is reported after that", () => {
  const health = rememberHealth(() => 0)
  health.keep([FIRST, SECOND])
  health.report(SECOND, true)
  health.keep([SECOND])
  health.report(FIRST, false)
  assert.deepEqual([...health.states()], [[SECOND.href, true]])
})
