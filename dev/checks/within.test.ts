import assert from "node:assert/strict"
import { setImmediate } from "node:timers/promises"
import { test } from "node:test"
import { runWithin } from "./within.ts"

/** Jobs of these sizes that end when they are called; what runs at a time, by name. */
function recorded(sizes: Readonly<Record<string, number>>) {
  const ends = new Map<string, () => void>()
  const failures = new Map<string, (error: Error) => void>()
  const jobs = Object.entries(sizes).map(([name, size]) => ({
    size,
    run: () =>
      new Promise<string>((resolve, reject) => {
        ends.set(name, () => resolve(`${name} is done`))
        failures.set(name, reject)
      }),
  }))
  const running = (): string => [...ends.keys()].join(" ")
  const settle = async (name: string, how: (name: string) => void): Promise<string> => {
    how(name)
    ends.delete(name)
    await setImmediate()
    return running()
  }
  return {
    jobs,
    running,
    end: (name: string) => settle(name, (one) => ends.get(one)?.()),
    fail: (name: string) => settle(name, (one) => failures.get(one)?.(new Error(`${one} failed`))),
  }
}

test("starts what there is room for, in order, and the smaller past one that does not fit yet", async () => {
  const { jobs, running, end } = recorded({ a: 2, b: 2, c: 1, d: 1, e: 1, f: 1 })
  const done = runWithin(3, jobs)
  assert.equal(running(), "a c")
  assert.equal(await end("c"), "a d")
  assert.equal(await end("a"), "d b")
  assert.equal(await end("b"), "d e f")
  for (const name of ["f", "d", "e"]) await end(name)
  assert.deepEqual(
    await done,
    ["a", "b", "c", "d", "e", "f"].map((name) => `${name} is done`),
  )
})

test("runs what is larger than the room when nothing else runs", async () => {
  const { jobs, running, end } = recorded({ a: 1, b: 9, c: 1 })
  const done = runWithin(2, jobs)
  assert.equal(running(), "a c")
  assert.equal(await end("a"), "c")
  assert.equal(await end("c"), "b")
  await end("b")
  assert.deepEqual(await done, ["a is done", "b is done", "c is done"])
})

test("starts nothing more after an error, and throws it when what runs has ended", async () => {
  const { jobs, running, end, fail } = recorded({ a: 1, b: 1, c: 1 })
  const done = runWithin(2, jobs)
  const thrown = assert.rejects(done, /a failed/)
  assert.equal(running(), "a b")
  assert.equal(await fail("a"), "b")
  assert.equal(await end("b"), "")
  await thrown
})
