import assert from "node:assert/strict"
import { test } from "node:test"
import * as fc from "fast-check"
import { read, startCache } from "./testing.ts"

const UP = { key: "up" }

test("requests from upstream once for all that request the same at the same time", async () => {
  const { cache, fetched } = startCache()
  const readers = Array.from({ length: 50 }, () => read(cache.find(UP, 0)))
  await fetched[0]?.respond("up 1\n")
  assert.equal(fetched.length, 1)
  assert.deepEqual(new Set(readers.map((reader) => reader.result())), new Set(["up 1\n"]))
  assert.deepEqual([cache.entries, cache.memory.used], [0, 0])
})

test("gives back the memory of a response that its last reader leaves before its end", async () => {
  const { cache, fetched } = startCache({ overhead: 10 })
  const reader = read(cache.find(UP, 0), "portal")
  fetched[0]?.sink.add(Buffer.from("up 1\n"))
  assert.deepEqual([cache.memory.used, cache.memory.held.size], [15, 1])
  reader.leave()
  await fetched[0]?.respond("late")
  assert.deepEqual([cache.entries, cache.memory.used, cache.memory.held.size], [0, 0, 0])
})

test("counts a stored response among those that are read only until its last reader is done", async () => {
  const { cache, fetched } = startCache()
  read(cache.find(UP, 1))
  await fetched[0]?.respond("up 1\n")
  const readers = ["a", "b"].map((name) => ({ name, fail: () => undefined }))
  const stored = cache.fresh(UP.key)
  for (const reader of readers) stored?.hold(reader)
  assert.deepEqual([...cache.memory.held], [stored])
  for (const reader of readers) stored?.leave(reader)
  assert.deepEqual([cache.memory.held.size, cache.memory.used], [0, 5])
})

test("requests anew each time without reuse", async () => {
  const { cache, fetched } = startCache()
  for (let round = 0; round < 3; round++) {
    const reader = read(cache.find(UP, 0))
    await fetched[round]?.respond(`round ${round}`)
    assert.equal(reader.result(), `round ${round}`)
  }
})

test("gives those that join later all that came before", async () => {
  const { cache, fetched } = startCache()
  const first = read(cache.find(UP, 0))
  fetched[0]?.sink.add(Buffer.from("a 1\n"))
  const second = read(cache.find(UP, 0))
  await fetched[0]?.respond("b 1\n")
  assert.deepEqual([first.result(), second.result()], ["a 1\nb 1\n", "a 1\nb 1\n"])
})

test("serves a response again until its age, from the start of its request, reaches the limit", async () => {
  const { cache, fetched, clock } = startCache()
  read(cache.find(UP, 1))
  await clock.move(300)
  await fetched[0]?.respond()
  await clock.move(699)
  assert.equal(cache.fresh(UP.key)?.content.toString(), "made 0")
  await clock.move(1)
  assert.equal(cache.fresh(UP.key), undefined)
})

test("goes by the age where the timers are late", async () => {
  const { cache, fetched, clock } = startCache({ late: true })
  read(cache.find(UP, 1))
  await fetched[0]?.respond()
  await clock.move(999)
  assert.equal(cache.fresh(UP.key)?.requests, 1)
  await clock.move(1)
  assert.equal(cache.fresh(UP.key), undefined)
})

test("drops a response that is not requested again, without a request upstream", async () => {
  const { cache, fetched, clock } = startCache()
  read(cache.find(UP, 1))
  await fetched[0]?.respond()
  assert.deepEqual([cache.entries, cache.memory.used], [1, 6])
  await clock.move(5000)
  assert.deepEqual([fetched.length, cache.entries, cache.memory.used], [1, 0, 0])
})

test("renews a response in demand before its age reaches the limit, so that no client waits", async () => {
  const { cache, fetched, clock } = startCache({ took: () => 100 })
  read(cache.find(UP, 1))
  await clock.move(100)
  for (let request = 0; request < 200; request++) {
    await clock.move(50)
    assert.equal(cache.find(UP, 1).source, "reused", `request ${request}`)
  }
  assert.ok(fetched.length >= 10 && fetched.length <= 14, `${fetched.length} requests upstream in 10 s`)
})

test("sends a slow upstream no more than two requests in the time of reuse", async () => {
  const { cache, fetched, clock } = startCache({ took: () => 450 })
  read(cache.find(UP, 1))
  for (let request = 0; request < 200; request++) {
    await clock.move(50)
    const found = cache.find(UP, 1)
    if (found.source !== "reused") read(found)
  }
  assert.ok(fetched.length <= 21, `${fetched.length} requests upstream in 10 s`)
})

test("serves the old response while its limit lasts when the renewal fails, and requests it once more then", async () => {
  const { cache, fetched, clock } = startCache()
  read(cache.find(UP, 1))
  await fetched[0]?.respond()
  cache.fresh(UP.key)
  await clock.move(980)
  await fetched[1]?.fail(new Error("down"))
  assert.equal(cache.find(UP, 1).source, "reused")
  assert.equal(fetched.length, 2)
  await clock.move(20)
  assert.equal(cache.find(UP, 1).source, "upstream")
})

test("fails for all that wait, and keeps no failure", async () => {
  const { cache, fetched } = startCache()
  const readers = [read(cache.find(UP, 1)), read(cache.find(UP, 1))]
  await fetched[0]?.fail(new Error("down"))
  assert.deepEqual(
    readers.map((reader) => reader.result()),
    ["Error: down", "Error: down"],
  )
  assert.equal(cache.find(UP, 1).source, "upstream")
})

test("cancels the request upstream when the last of those that wait has gone", () => {
  const { cache, fetched } = startCache()
  const readers = [read(cache.find(UP, 1)), read(cache.find(UP, 1))]
  readers[0]?.leave()
  assert.equal(fetched[0]?.signal.aborted, false)
  readers[1]?.leave()
  assert.equal(fetched[0]?.signal.aborted, true)
  assert.deepEqual([cache.entries, cache.memory.used], [0, 0])
})

test("never keeps a response that took longer than it may be reused", async () => {
  const { cache, fetched, clock } = startCache()
  const reader = read(cache.find(UP, 1))
  await clock.move(1000)
  await fetched[0]?.respond()
  assert.equal(reader.result(), "made 0")
  assert.equal(cache.find(UP, 1).source, "upstream")
})

test("drops what was used least recently where the memory is full", async () => {
  const { cache, fetched, clock } = startCache({ memory: 10 })
  const requests = ["a", "b"].map((key) => ({ key }))
  for (const [index, request] of requests.entries()) {
    read(cache.find(request, 10))
    await clock.move(1)
    await fetched[index]?.respond("1234")
  }
  assert.deepEqual(
    requests.map(({ key }) => cache.fresh(key)?.content.length),
    [undefined, 4],
  )
  assert.equal(cache.memory.used, 4)
})

test("fails a response that does not fit into the memory", async () => {
  const { cache, fetched } = startCache({ memory: 10 })
  const reader = read(cache.find(UP, 1))
  await fetched[0]?.respond("x".repeat(11))
  assert.match(reader.result(), /fill the memory/)
  assert.equal(cache.memory.used, 0)
})

test("counts the keys, of which each request may bring another, until its response is gone", async () => {
  const { cache, fetched, clock } = startCache({ memory: 1000, overhead: 100 })
  const keys = Array.from({ length: 11 }, (_, index) => ({ key: `${index}` }))
  const readers = keys.map((key) => read(cache.find(key, 1), "a"))
  assert.equal(cache.memory.used, 1000)
  assert.match(readers[10]?.result() ?? "", /MEMORY|fill the memory/)
  for (const one of fetched.slice(0, 10)) await one.respond("")
  // beside the first there was no room to store it
  assert.deepEqual([cache.memory.used, cache.entries], [900, 9])
  await clock.move(2000)
  assert.deepEqual([cache.memory.used, cache.entries], [0, 0])
})

test("takes memory from the client that holds most, growing or whole, and from no other", async () => {
  const { cache, fetched } = startCache({ memory: 100 })
  const start = async (name: string, bytes: number) => {
    const found = cache.find({ key: `${name} ${fetched.length}` }, 0)
    const reader = read(found, name)
    const one = fetched.at(-1)
    one?.sink.begin({ headers: [], length: undefined })
    // one that reads slowly: what came is not read, nor is the end
    await Promise.resolve()
    one?.sink.add(Buffer.alloc(bytes))
    return { ...reader, more: (count: number) => one?.sink.add(Buffer.alloc(count)), found, fetched: one }
  }
  const big = await start("greedy", 50)
  const small = await start("greedy", 20)
  const modest = await start("modest", 25)
  modest.more(10)
  await new Promise(setImmediate)
  assert.match(big.result(), /this client has in flight fill the memory/)
  assert.equal(big.fetched?.signal.aborted, true)
  assert.equal(cache.memory.used, 55)
  assert.throws(() => small.more(80), /this client has in flight fill the memory/)
  modest.more(30)
  assert.equal(cache.memory.used, 85)
  assert.throws(() => modest.more(50), /this client has in flight fill the memory/)
})

test("counts the bytes of a response until its last reader is done", async () => {
  const { cache, fetched, clock } = startCache()
  read(cache.find(UP, 1))
  await fetched[0]?.respond("1234")
  const stored = cache.fresh(UP.key)
  const reader = { name: "a", fail: () => undefined }
  stored?.hold(reader)
  cache.close()
  assert.equal(cache.memory.used, 4)
  stored?.leave(reader)
  assert.equal(cache.memory.used, 0)
  await clock.move(1)
})

test("never serves a response older than reuse, nor forgets memory, whatever comes when and takes how long", async () => {
  const step = fc.record({ wait: fc.integer({ min: 0, max: 400 }), took: fc.integer({ min: 1, max: 1500 }) })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      let took = 1
      const { cache, clock } = startCache({ took: () => took })
      for (const { wait, took: next } of steps) {
        took = next
        await clock.move(wait)
        const found = cache.find(UP, 1)
        if (found.source === "reused") {
          const age = clock.now() - Number(/^made (.+)$/.exec(found.stored.content.toString())?.[1])
          assert.ok(age < 1000, `served at the age of ${age} ms`)
        } else read(found)
      }
      await clock.move(10_000)
      assert.deepEqual([cache.entries, cache.memory.used], [0, 0])
    }),
    {
      numRuns: 60,
      // the last is renewed at a part of a millisecond
      examples: [
        [
          [
            ...[0, 208, 177, 140, 218, 119, 378, 103].map((wait, index) => ({ wait, took: index === 0 ? 103 : 1 })),
            { wait: 374, took: 308 },
          ],
        ],
      ],
    },
  )
})
