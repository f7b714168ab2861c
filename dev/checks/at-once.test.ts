import assert from "node:assert/strict"
import { setImmediate } from "node:timers/promises"
import { test } from "node:test"
import { runAtOnce } from "./at-once.ts"

/** Jobs that end when they are told to; which of them run. */
function recorded(...names: readonly string[]) {
  const running = new Map<string, { readonly end: (result: string) => void; readonly fail: (error: Error) => void }>()
  const jobs = names.map(
    (name) => () =>
      new Promise<string>((resolve, reject) => {
        running.set(name, { end: resolve, fail: reject })
      }),
  )
  const settle = async (name: string, how: "end" | "fail"): Promise<string> => {
    if (how === "end") running.get(name)?.end(`${name} is done`)
    else running.get(name)?.fail(new Error(`${name} failed`))
    running.delete(name)
    await setImmediate()
    return [...running.keys()].join(" ")
  }
  return { jobs, now: () => [...running.keys()].join(" "), settle }
}

test("runs so many at once, in order, and gives the results in order", async () => {
  const { jobs, now, settle } = recorded("a", "b", "c", "d")
  const done = runAtOnce(2, jobs)
  assert.equal(now(), "a b")
  assert.equal(await settle("b", "end"), "a c")
  assert.equal(await settle("c", "end"), "a d")
  assert.equal(await settle("d", "end"), "a")
  await settle("a", "end")
  assert.deepEqual(await done, ["a is done", "b is done", "c is done", "d is done"])
})

test("starts nothing more after an error, and throws it when what runs has ended", async () => {
  const { jobs, now, settle } = recorded("a", "b", "c", "d")
  let isOver = false
  const done = runAtOnce(2, jobs).finally(() => (isOver = true))
  const thrown = assert.rejects(done, /^Error: a failed$/)
  assert.equal(now(), "a b")
  assert.equal(await settle("a", "fail"), "b")
  assert.equal(isOver, false)
  assert.equal(await settle("b", "end"), "")
  await thrown
})

test("runs nothing where there is nothing", async () => {
  assert.deepEqual(await runAtOnce(2, []), [])
})
