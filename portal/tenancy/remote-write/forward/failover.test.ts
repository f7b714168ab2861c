import assert from "node:assert/strict"
import { test, type TestContext } from "node:test"
import {
  accept,
  type Respond,
  respondWith,
  samplesOf,
  SENDER,
  shownOutcome,
  sliceOf,
  startForward,
  startUpstream,
} from "./testing.ts"

/** What two upstreams do with requests, one after another; `time`: milliseconds. */
async function startTwo(t: TestContext, first: Respond, second: Respond = accept) {
  const clock = { time: 0 }
  const upstreams = [await startUpstream(t, first), await startUpstream(t, second)] as const
  const urls = upstreams.map(({ url }) => url)
  const { forward, log } = await startForward(t, urls, { timeout: 2 }, {}, () => clock.time)
  return {
    clock,
    log,
    upstreams,
    /** The outcome, and how many requests each upstream got for it. */
    send: async (name = "a") => {
      const before = upstreams.map(({ received }) => received.length)
      const outcome = shownOutcome(await forward(sliceOf("t", [name]), SENDER))
      return [outcome, ...upstreams.map(({ received }, index) => received.length - (before[index] ?? 0))]
    },
  }
}

const LONG = 60_000

test("sends to the next upstream where the connection is refused, and to the first one again after a while", async (t) => {
  const { clock, log, send, upstreams } = await startTwo(t, accept)
  const [first] = upstreams
  first.server.close()
  first.closeConnections()
  assert.deepEqual(await send(), ["accepted 1", 0, 1])
  assert.deepEqual(await send(), ["accepted 1", 0, 1])
  first.server.listen(first.port, "127.0.0.1")
  assert.deepEqual(await send(), ["accepted 1", 0, 1])
  clock.time += LONG
  assert.deepEqual(await send(), ["accepted 1", 1, 0])
  assert.deepEqual(await send(), ["accepted 1", 1, 0])
  const upstream = `upstream=${first.url.origin}/api/v1/push`
  assert.deepEqual(
    log()
      .trim()
      .split("\n")
      .map((line) => line.replace(/^ts=\S+ /, "")),
    [
      `level=warn component=test msg="the upstream is unavailable, trying the others first" ${upstream} reason="the connection was refused: connect ECONNREFUSED 127.0.0.1:${first.port}"`,
      `level=info component=test msg="the upstream works again" ${upstream}`,
    ],
  )
})

test("sends to the next upstream after 503, of which nothing is written", async (t) => {
  const { send } = await startTwo(t, ({ socket }) => respondWith(socket, 503))
  assert.deepEqual(await send(), ["accepted 1", 1, 1])
  assert.deepEqual(await send(), ["accepted 1", 0, 1])
})

test("reports 503 with its words where no upstream does better", async (t) => {
  const { send, upstreams } = await startTwo(t, ({ socket }) => respondWith(socket, 503, {}, "too many series"))
  upstreams[1].server.close()
  assert.deepEqual(await send(), ["503 0 too many series", 1, 0])
})

for (const status of [400, 429, 500, 502, 504, 529]) {
  test(`sends nowhere else after ${status}`, async (t) => {
    const { send } = await startTwo(t, ({ socket }) => respondWith(socket, status, {}, "no"))
    for (let round = 0; round < 2; round++) assert.deepEqual(await send(), [`${status} 0 no`, 1, 0])
  })
}

test("sends to the next upstream where connections are closed, and only then holds the first one for down", async (t) => {
  const { send } = await startTwo(t, ({ socket }) => void socket.destroy())
  assert.deepEqual(await send(), ["accepted 1", 2, 1])
  assert.deepEqual(await send(), ["accepted 1", 0, 1])
})

test("holds no upstream for down after a message that none survives", async (t) => {
  const dies: Respond = (received) => {
    if (received.samples.includes("poison")) received.socket.destroy()
    else void accept(received)
  }
  const { log, send } = await startTwo(t, dies, dies)
  assert.deepEqual(await send("poison"), ["0 0 the connection was closed without a response", 2, 2])
  assert.deepEqual(await send(), ["accepted 1", 1, 0])
  assert.equal(log(), "")
})

test("holds an upstream for down that responds to nothing in time, and the next request goes to another", async (t) => {
  const { send } = await startTwo(t, () => undefined)
  assert.deepEqual(await send(), ["0 0 no response within 2 s", 1, 0])
  assert.deepEqual(await send(), ["accepted 1", 0, 1])
})

test("holds no upstream for down that responds to others meanwhile", async (t) => {
  const { send, upstreams } = await startTwo(t, (received) => {
    if (!received.samples.includes("slow")) void accept(received)
  })
  const slow = send("slow")
  await samplesOf(upstreams[0], 1)
  await send()
  assert.equal((await slow)[0], "0 0 no response within 2 s")
  assert.deepEqual(await send(), ["accepted 1", 1, 0])
})
