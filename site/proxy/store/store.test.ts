import assert from "node:assert/strict"
import { test } from "node:test"
import * as fc from "fast-check"
import { ask } from "../upstream/question.ts"
import { read, startStore } from "./testing.ts"

const TARGET = { name: "a", upstreams: [], path: "/federate", timeout: 30, bytes: 1e6, series: 1e6 }
const UP = ask(TARGET, "up", {})

test("asks upstream once for all who ask the same at the same time", async () => {
  const { store, asked } = startStore()
  const readers = Array.from({ length: 50 }, () => read(store.find(UP, 0)))
  await asked[0]?.answer("up 1\n")
  assert.equal(asked.length, 1)
  assert.deepEqual(new Set(readers.map((reader) => reader.result())), new Set(["up 1\n"]))
  assert.deepEqual([store.entries, store.memory.used], [0, 0])
})

test("asks anew each time without reuse", async () => {
  const { store, asked } = startStore()
  for (let round = 0; round < 3; round++) {
    const reader = read(store.find(UP, 0))
    await asked[round]?.answer(`round ${round}`)
    assert.equal(reader.result(), `round ${round}`)
  }
})

test("gives those who join later all that came before", async () => {
  const { store, asked } = startStore()
  const first = read(store.find(UP, 0))
  asked[0]?.sink.add(Buffer.from("a 1\n"))
  const second = read(store.find(UP, 0))
  await asked[0]?.answer("b 1\n")
  assert.deepEqual([first.result(), second.result()], ["a 1\nb 1\n", "a 1\nb 1\n"])
})

test("serves an answer again until its age, from the start of its request, reaches the limit", async () => {
  const { store, asked, clock } = startStore()
  read(store.find(UP, 1))
  await clock.move(300)
  await asked[0]?.answer()
  await clock.move(699)
  assert.equal(store.fresh(UP.key)?.content.toString(), "made 0")
  await clock.move(1)
  assert.equal(store.fresh(UP.key), undefined)
})

test("goes by the age where the timers are late", async () => {
  const { store, asked, clock } = startStore({ late: true })
  read(store.find(UP, 1))
  await asked[0]?.answer()
  await clock.move(999)
  assert.equal(store.fresh(UP.key)?.asked, 1)
  await clock.move(1)
  assert.equal(store.fresh(UP.key), undefined)
})

test("drops an answer that nobody asked for again, without asking upstream", async () => {
  const { store, asked, clock } = startStore()
  read(store.find(UP, 1))
  await asked[0]?.answer()
  assert.deepEqual([store.entries, store.memory.used], [1, 6])
  await clock.move(5000)
  assert.deepEqual([asked.length, store.entries, store.memory.used], [1, 0, 0])
})

test("renews an answer in demand before its age reaches the limit, so that nobody waits", async () => {
  const { store, asked, clock } = startStore({ took: () => 100 })
  read(store.find(UP, 1))
  await clock.move(100)
  for (let request = 0; request < 200; request++) {
    await clock.move(50)
    assert.equal(store.find(UP, 1).source, "reused", `request ${request}`)
  }
  assert.ok(asked.length >= 10 && asked.length <= 14, `${asked.length} requests upstream in 10 s`)
})

test("asks a slow upstream no more than twice in the time of reuse", async () => {
  const { store, asked, clock } = startStore({ took: () => 450 })
  read(store.find(UP, 1))
  for (let request = 0; request < 200; request++) {
    await clock.move(50)
    const found = store.find(UP, 1)
    if (found.source !== "reused") read(found)
  }
  assert.ok(asked.length <= 21, `${asked.length} requests upstream in 10 s`)
})

test("serves the old answer while its limit lasts when the renewal fails, and asks once more then", async () => {
  const { store, asked, clock } = startStore()
  read(store.find(UP, 1))
  await asked[0]?.answer()
  store.fresh(UP.key)
  await clock.move(980)
  await asked[1]?.fail(new Error("down"))
  assert.equal(store.find(UP, 1).source, "reused")
  assert.equal(asked.length, 2)
  await clock.move(20)
  assert.equal(store.find(UP, 1).source, "upstream")
})

test("tells a failure to all who wait, and keeps none", async () => {
  const { store, asked } = startStore()
  const readers = [read(store.find(UP, 1)), read(store.find(UP, 1))]
  await asked[0]?.fail(new Error("down"))
  assert.deepEqual(
    readers.map((reader) => reader.result()),
    ["Error: down", "Error: down"],
  )
  assert.equal(store.find(UP, 1).source, "upstream")
})

test("cancels the request upstream when the last of those who wait has gone", () => {
  const { store, asked } = startStore()
  const readers = [read(store.find(UP, 1)), read(store.find(UP, 1))]
  readers[0]?.leave()
  assert.equal(asked[0]?.signal.aborted, false)
  readers[1]?.leave()
  assert.equal(asked[0]?.signal.aborted, true)
  assert.deepEqual([store.entries, store.memory.used], [0, 0])
})

test("never keeps an answer that took longer than it may be reused", async () => {
  const { store, asked, clock } = startStore()
  const reader = read(store.find(UP, 1))
  await clock.move(1000)
  await asked[0]?.answer()
  assert.equal(reader.result(), "made 0")
  assert.equal(store.find(UP, 1).source, "upstream")
})

test("drops what was used least recently where the memory is full", async () => {
  const { store, asked, clock } = startStore({ memory: 10 })
  const questions = ["a", "b"].map((query) => ask(TARGET, query, {}))
  for (const [index, question] of questions.entries()) {
    read(store.find(question, 10))
    await clock.move(1)
    await asked[index]?.answer("1234")
  }
  assert.deepEqual(
    questions.map(({ key }) => store.fresh(key)?.content.length),
    [undefined, 4],
  )
  assert.equal(store.memory.used, 4)
})

test("fails an answer that does not fit into the memory", async () => {
  const { store, asked } = startStore({ memory: 10 })
  const reader = read(store.find(UP, 1))
  await asked[0]?.answer("x".repeat(11))
  assert.match(reader.result(), /fill the proxy's memory/)
  assert.equal(store.memory.used, 0)
})

test("counts the bytes of an answer until its last reader is done", async () => {
  const { store, asked, clock } = startStore()
  read(store.find(UP, 1))
  await asked[0]?.answer("1234")
  const stored = store.fresh(UP.key)
  stored?.hold()
  await store.close()
  assert.equal(store.memory.used, 4)
  stored?.release()
  assert.equal(store.memory.used, 0)
  await clock.move(1)
})

test("never serves an answer older than reuse, nor forgets memory, whatever comes when and takes how long", async () => {
  const step = fc.record({ wait: fc.integer({ min: 0, max: 400 }), took: fc.integer({ min: 1, max: 1500 }) })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      let took = 1
      const { store, clock } = startStore({ took: () => took })
      for (const { wait, took: next } of steps) {
        took = next
        await clock.move(wait)
        const found = store.find(UP, 1)
        if (found.source === "reused") {
          const age = clock.now() - Number(/^made (\d+)/.exec(found.stored.content.toString())?.[1])
          assert.ok(age < 1000, `served at the age of ${age} ms`)
        } else read(found)
      }
      await clock.move(10_000)
      assert.deepEqual([store.entries, store.memory.used], [0, 0])
    }),
    { numRuns: 60 },
  )
})
