import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { createClientGate } from "./client-limits.ts"
import { clearThread, createLimitMemory, ownLimits, sharedLimits } from "./shared-limits.ts"

function twoThreads() {
  const memory = createLimitMemory(2)
  return { memory, a: sharedLimits(memory, 0), b: sharedLimits(memory, 1) }
}

test("what is in flight counts for all threads, and no longer when its thread has ended", () => {
  const { memory, a, b } = twoThreads()
  const [ofA, ofB, other] = [a.tally("x"), b.tally("x"), b.tally("y")]
  ofA.add(2)
  ofB.add(3)
  other.add(7)
  assert.deepEqual([ofA.total, ofB.total, a.tally("y").total], [5, 5, 7])
  clearThread(memory, 1)
  assert.deepEqual([ofA.total, ofB.total, other.total], [2, 2, 0])
})

test("tokens and debts of one name and rate are the same in all threads", () => {
  const { a, b } = twoThreads()
  let time = 1000
  const now = (): number => time
  const rate = { perSecond: 2, burst: 2 }
  const [one, two] = [a.tokens("x", rate, now), b.tokens("x", rate, now)]
  assert.deepEqual([one.take(), two.take(), one.take(), two.take()], [0, 0, 0.5, 0.5])
  two.give()
  assert.equal(one.take(), 0)
  assert.equal(b.tokens("x", { perSecond: 4, burst: 1 }, now).take(), 0)
  assert.equal(b.tokens("y", rate, now).take(), 0)
  const [debt, same] = [a.debts("x", rate, now), b.debts("x", rate, now)]
  assert.deepEqual([debt.spend(10), same.spend(1)], [0, 4])
  time += 4000
  assert.deepEqual([same.spend(1), debt.spend(1)], [0, 0.5])
})

test("a client's limits hold in all threads together", () => {
  const { a, b } = twoThreads()
  const [one, two] = [createClientGate(() => 0, a), createClientGate(() => 0, b)]
  const client = { name: "x", limits: { concurrent: 1, requestsPerSecond: 2 } }
  const leave = one.enter(client)
  assert.throws(() => two.enter(client), { code: "TOO_MANY_AT_ONCE" })
  leave()
  two.enter(client)()
  assert.throws(() => one.enter(client), { code: "TOO_MANY_REQUESTS" })
})

test("decides in one thread as limits of its own", () => {
  const steps = fc.array(
    fc.record({ after: fc.integer({ min: 0, max: 3000 }), amount: fc.integer({ min: 1, max: 9 }) }),
  )
  const shared = sharedLimits(createLimitMemory(1), 0)
  let runs = 0
  fc.assert(
    fc.property(steps, fc.constantFrom(0.5, 1, 4), fc.integer({ min: 1, max: 8 }), (all, perSecond, burst) => {
      let time = 0
      const now = (): number => time
      const rate = { perSecond, burst }
      const name = String(runs++)
      const own = [ownLimits.tokens(name, rate, now), ownLimits.debts(name, rate, now)] as const
      const same = [shared.tokens(name, rate, now), shared.debts(name, rate, now)] as const
      for (const { after, amount } of all) {
        time += after
        assert.equal(same[0].take(), own[0].take())
        assert.equal(same[1].spend(amount), own[1].spend(amount))
      }
    }),
  )
})

test("limits each thread by itself when there is no place left for more names", () => {
  const { a, b } = twoThreads()
  for (let name = 0; name < 2 ** 14; name++) a.tally(String(name)).add(1)
  const [ofA, ofB] = [a.tally("one more"), b.tally("one more")]
  ofA.add(1)
  assert.deepEqual([ofA.total, ofB.total, b.tally("5").total], [1, 0, 1])
})
