import assert from "node:assert/strict"
import { test } from "node:test"
import { createLogger } from "#core/log/logger.ts"
import { gateOfClients } from "./clients.ts"
import { networkOf } from "./networks.ts"
import { bucket } from "./rate.ts"
import { throttleFailures } from "./throttle.ts"

const LIMITS = {
  concurrent: Infinity,
  requestsPerSecond: Infinity,
  responseBytes: Infinity,
  series: Infinity,
  upstreamTimeout: 30,
}

test("gives a burst, then one at each interval, and tells how long to wait", () => {
  let time = 0
  const tokens = bucket({ perSecond: 2, burst: 3 }, () => time)
  const take = (): number => tokens.take()
  assert.deepEqual([take(), take(), take(), take()], [0, 0, 0, 0.5])
  time = 499
  assert.ok(take() > 0)
  time = 500
  assert.deepEqual([take(), take()], [0, 0.5])
})

test("lets so many requests of a client under way at once, and others' besides", () => {
  const gate = gateOfClients(() => 0)
  const [a, b] = ["a", "b"].map((name) => ({ name, limits: { ...LIMITS, concurrent: 1 } }))
  assert.ok(a !== undefined && b !== undefined)
  assert.equal(gate.enter(a).kind, "admitted")
  assert.deepEqual(gate.enter(a), { kind: "too many at once", limit: 1 })
  assert.equal(gate.enter(b).kind, "admitted")
  gate.leave("a")
  assert.equal(gate.enter(a).kind, "admitted")
})

test("bounds a client's rate, and goes by a new limit when the policy changes", () => {
  const gate = gateOfClients(() => 0)
  const slow = { name: "a", limits: { ...LIMITS, requestsPerSecond: 0.5 } }
  assert.equal(gate.enter(slow).kind, "admitted")
  assert.deepEqual(gate.enter(slow), { kind: "too many a second", limit: 0.5, wait: 2 })
  assert.equal(gate.enter({ ...slow, limits: LIMITS }).kind, "admitted")
})

function throttle() {
  let time = 0
  const lines: string[] = []
  const log = createLogger({ level: "info", format: "logfmt" }, "proxy", (line) => lines.push(line))
  const made = throttleFailures(() => time, log)
  const failed = (address: string): number => made.failed(address)
  return { failed, close: () => made.close(), lines, move: (milliseconds: number): number => (time += milliseconds) }
}

test("throttles an address that fails too often, for as long as it does", () => {
  const { failed, move, lines, close } = throttle()
  const waits = Array.from({ length: 25 }, () => failed("192.0.2.1"))
  assert.equal(waits.filter((wait) => wait === 0).length, 20)
  assert.equal(failed("192.0.2.2"), 0)
  move(1000)
  assert.equal(failed("192.0.2.1"), 0)
  close()
  assert.match(lines.join(""), /level=warn .*unlogged.* requests=5$/m)
})

test("throttles many addresses together", () => {
  const { failed } = throttle()
  const waits = Array.from({ length: 1000 }, (_, index) => failed(`10.0.${index >> 8}.${index & 255}`))
  assert.equal(waits.filter((wait) => wait === 0).length, 400)
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
