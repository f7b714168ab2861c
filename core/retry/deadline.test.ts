import assert from "node:assert/strict"
import { getEventListeners, once } from "node:events"
import { test } from "node:test"
import { Deadline, doneWithin, unlessAborted } from "./deadline.ts"

const never = new Promise<never>(() => undefined)

test("aborts its signal when the time is over", async () => {
  using deadline = new Deadline(0.01)
  await once(deadline.signal, "abort")
  assert.equal(deadline.exceeded, true)
  assert.equal(String(deadline.signal.reason), "TimeoutError: not done within 0.01 s")
})

test("aborts its signal with the reason of its parent, also one that is aborted already", () => {
  const parent = new AbortController()
  using before = new Deadline(3600, parent.signal)
  parent.abort("the process ends")
  using after = new Deadline(3600, parent.signal)
  assert.deepEqual(
    [before, after].map(({ exceeded, signal }) => [exceeded, signal.reason]),
    [
      [false, "the process ends"],
      [false, "the process ends"],
    ],
  )
})

test("is not exceeded where its parent was aborted before the time was over", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] })
  const parent = new AbortController()
  using deadline = new Deadline(1, parent.signal)
  parent.abort()
  t.mock.timers.tick(1000)
  assert.equal(deadline.exceeded, false)
})

test("leaves neither timer nor listener behind", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] })
  const parent = new AbortController()
  const use = (): Deadline => {
    using deadline = new Deadline(1, parent.signal)
    return deadline
  }
  const { signal } = use()
  t.mock.timers.tick(1000)
  assert.equal(signal.aborted, false)
  assert.equal(getEventListeners(parent.signal, "abort").length, 0)
})

test("gives up waiting when the signal is aborted, and leaves no listener behind", async () => {
  const ending = new AbortController()
  const waiting = unlessAborted(never, ending.signal)
  ending.abort(new Error("the update ends"))
  await assert.rejects(waiting, { message: "the update ends" })
  await assert.rejects(unlessAborted(never, ending.signal), { message: "the update ends" })
  assert.equal(getEventListeners(ending.signal, "abort").length, 0)
})

test("hands on what the work results in", async () => {
  const { signal } = new AbortController()
  assert.equal(await unlessAborted(Promise.resolve(1), signal), 1)
  await assert.rejects(unlessAborted(Promise.reject(new Error("broken")), signal), { message: "broken" })
  assert.equal(getEventListeners(signal, "abort").length, 0)
})

test("distinguishes work that is done in time from work that takes longer, fails or is not waited for", async () => {
  assert.equal(await doneWithin(3600, Promise.resolve("anything")), true)
  assert.equal(await doneWithin(0.01, never), false)
  await assert.rejects(doneWithin(3600, Promise.reject(new Error("broken"))), { message: "broken" })
  await assert.rejects(doneWithin(3600, never, AbortSignal.abort(new Error("over"))), { message: "over" })
})
