import assert from "node:assert/strict"
import test from "node:test"
import { LimitExceeded } from "#core/limits/client-limits.ts"
import { createSenderGate } from "./gate.ts"
import type { Sender, SenderLimits } from "./sender.ts"

const senderOf = (name: string, limits: Partial<SenderLimits>): Sender => ({
  ...{ name, tenant: undefined, tenants: undefined, rules: undefined, paused: undefined, where: "" },
  limits: {
    ...{ concurrent: Infinity, requestsPerSecond: Infinity, bytesInFlight: Infinity, samplesPerSecond: Infinity },
    ...limits,
  },
})

const refused = (act: () => unknown): LimitExceeded => {
  try {
    act()
  } catch (error) {
    if (error instanceof LimitExceeded) return error
    throw error
  }
  throw new Error("it was not refused")
}

test("lets as many samples a second pass as a sender may write, and one request beyond", () => {
  let time = 0
  const gate = createSenderGate(() => time)
  const [a, b] = [senderOf("a", { samplesPerSecond: 100 }), senderOf("b", { samplesPerSecond: 100 })]
  gate.take(a, 1000)
  const { message, status, retryAfter } = refused(() => gate.take(a, 1))
  assert.deepEqual([message, status, retryAfter], ["a may write 100 samples a second; resend later.", 429, 9])
  gate.take(b, 50)
  time = 9000
  gate.take(a, 100)
  refused(() => gate.take(a, 1))
})

test("limits requests of each sender apart", () => {
  const gate = createSenderGate(() => 0)
  const [a, b] = [senderOf("a", { concurrent: 1 }), senderOf("b", { requestsPerSecond: 1 })]
  const leave = gate.enter(a)
  assert.equal(refused(() => gate.enter(a)).code, "TOO_MANY_AT_ONCE")
  leave()
  gate.enter(a)
  gate.enter(b)
  assert.equal(refused(() => gate.enter(b)).code, "TOO_MANY_REQUESTS")
})

test("takes another limit of a sender at once", () => {
  const gate = createSenderGate(() => 0)
  gate.take(senderOf("a", { samplesPerSecond: 10 }), 100)
  refused(() => gate.take(senderOf("a", { samplesPerSecond: 10 }), 1))
  gate.take(senderOf("a", { samplesPerSecond: 1000 }), 1)
  gate.keep(new Set())
  gate.take(senderOf("a", { samplesPerSecond: 10 }), 1)
})
