import assert from "node:assert/strict"
import { test } from "node:test"
import { createLogger } from "#core/log/logger.ts"
import { createClientGate, createWorkBudget } from "./client-limits.ts"
import { throttleFailures } from "./failure-throttle.ts"
import { networkOf } from "./networks.ts"
import { createLimitMemory, ownLimits, sharedLimits } from "./shared-limits.ts"
import { tokenBucket } from "./token-bucket.ts"

const LIMITS = { concurrent: Infinity, requestsPerSecond: Infinity }

test("a token bucket gives a burst, then one at each interval, and says how long to wait", () => {
  let time = 0
  const tokens = tokenBucket({ perSecond: 2, burst: 3 }, () => time)
  const take = (): number => tokens.take()
  assert.deepEqual([take(), take(), take(), take()], [0, 0, 0, 0.5])
  time = 499
  assert.ok(take() > 0)
  time = 500
  assert.deepEqual([take(), take()], [0, 0.5])
})

test("a token bucket gives its whole burst at once, and one token at each interval, at any rate", () => {
  const rates = [0.1, 0.3, 0.5, 0.7, 1, 3, 6, 7, 9.9, 11, 13, 99, 1000 / 3]
  for (const perSecond of rates) {
    for (const burst of [1, 3, 7, 8, 100, 1001]) {
      let time = 0
      const tokens = tokenBucket({ perSecond, burst }, () => time)
      for (let taken = 0; taken < burst; taken++) assert.equal(tokens.take(), 0, `${taken} of ${burst} at ${perSecond}`)
      assert.ok(Math.abs(tokens.take() - 1 / perSecond) < 1e-6, `one more than ${burst} at ${perSecond}`)
      for (let round = 1; round < 2000; round++) {
        time = (round * 1000) / perSecond
        assert.equal(tokens.take(), 0, `${round} at ${perSecond}`)
      }
    }
  }
})

test("a rate of one in three centuries is kept, in several threads too", () => {
  const rate = { perSecond: 1e-10, burst: 1 }
  for (const limits of [ownLimits, sharedLimits(createLimitMemory(1), 0)]) {
    const tokens = limits.tokens("a", rate, () => 1e9)
    assert.equal(tokens.take(), 0)
    assert.ok(tokens.take() > 1e8)
  }
})

test("a token bucket does not save up more than its burst", () => {
  let time = 0
  const tokens = tokenBucket({ perSecond: 2, burst: 3 }, () => time)
  time = 3_600_000
  assert.deepEqual(
    Array.from({ length: 4 }, () => tokens.take()),
    [0, 0, 0, 0.5],
  )
})

test("bounds a client's requests in flight, and not those of others", () => {
  const gate = createClientGate(() => 0)
  const [a, b] = ["a", "b"].map((name) => ({ name, limits: { ...LIMITS, concurrent: 1 } }))
  assert.ok(a !== undefined && b !== undefined)
  const leave = gate.enter(a)
  assert.throws(() => gate.enter(a), {
    code: "TOO_MANY_AT_ONCE",
    message: "a may have 1 request in flight at once; retry when one has ended.",
    retryAfter: 1,
  })
  gate.enter(b)
  leave()
  gate.enter(a)
})

test("bounds a client's rate, and goes by a new limit when the policy changes", () => {
  const gate = createClientGate(() => 0)
  const slow = { name: "a", limits: { ...LIMITS, requestsPerSecond: 0.5 } }
  gate.enter(slow)
  assert.throws(() => gate.enter(slow), {
    code: "TOO_MANY_REQUESTS",
    message: "a may send 0.5 requests a second at most; retry later.",
    retryAfter: 2,
  })
  gate.enter({ ...slow, limits: LIMITS })
})

function throttle() {
  let time = 0
  const lines: string[] = []
  const log = createLogger({ level: "info", format: "logfmt" }, "proxy", (line) => lines.push(line))
  const made = throttleFailures(() => time, log)
  const failed = (address: string): boolean => made.failed(address)
  return { failed, close: () => made.close(), lines, move: (milliseconds: number): number => (time += milliseconds) }
}

test("throttles an address that fails too often, for as long as it does", () => {
  const { failed, move, lines, close } = throttle()
  const throttled = Array.from({ length: 25 }, () => failed("192.0.2.1"))
  assert.equal(throttled.filter(Boolean).length, 5)
  assert.equal(failed("192.0.2.2"), false)
  move(1000)
  assert.equal(failed("192.0.2.1"), false)
  close()
  assert.match(lines.join(""), /level=warn .*unlogged.* requests=5$/m)
})

test("throttles many addresses together", () => {
  const { failed } = throttle()
  const throttled = Array.from({ length: 1000 }, (_, index) => failed(`10.0.${index >> 8}.${index & 255}`))
  assert.equal(throttled.filter((one) => !one).length, 400)
})

const NETWORKS: readonly (readonly [address: string, network: string])[] = [
  ["192.0.2.1", "192.0.2.1"],
  ["::ffff:192.0.2.1", "192.0.2.1"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:0db8:0001:0002::1", "2001:db8:1:2::/64"],
  ["2001:db8::1", "2001:db8:0:0::/64"],
  ["::1", "0:0:0:0::/64"],
  ["fe80::1%eth0", "fe80:0:0:0::/64"],
]
for (const [address, network] of NETWORKS) {
  test(`takes ${address} for one of ${network}`, () => assert.equal(networkOf(address), network))
}

test("lets a client cause two seconds of work at once, and then a twentieth of the time", () => {
  let time = 0
  const budget = createWorkBudget(() => time)
  budget.spend("portal", 1.9)
  assert.equal(budget.wait("portal"), 0)
  budget.spend("portal", 1.1)
  assert.equal(Math.round(budget.wait("portal")), 20)
  time += 15_000
  assert.equal(Math.round(budget.wait("portal")), 5)
  time += 5_001
  assert.equal(budget.wait("portal"), 0)
})

test("keeps a balance for each client, and forgets clients that are no more", () => {
  const budget = createWorkBudget(() => 0)
  budget.spend("portal", 3)
  assert.equal(budget.wait("other"), 0)
  assert.ok(budget.wait("portal") > 0)
  budget.keep(new Set(["other"]))
  assert.equal(budget.wait("portal"), 0)
})

test("does not save up beyond the two seconds", () => {
  let time = 0
  const budget = createWorkBudget(() => time)
  budget.spend("portal", 0.1)
  time += 3_600_000
  budget.spend("portal", 2.5)
  assert.equal(Math.round(budget.wait("portal")), 10)
})
