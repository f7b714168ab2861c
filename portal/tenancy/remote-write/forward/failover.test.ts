import assert from "node:assert/strict"
import { once } from "node:events"
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

test("an upstream that is to stand in is known to be down, and up again, before it is needed", async (t) => {
  const clock = { time: 0 }
  const [first, second] = [await startUpstream(t, accept), await startUpstream(t, accept)] as const
  const { forward, look, log, registry } = await startForward(t, [first.url, second.url], {}, {}, () => clock.time)
  const shownUp = async (): Promise<readonly string[]> =>
    [...(await registry.metrics()).matchAll(/^fedstack_tenancy_proxy_upstream_up\{.*\} (\d)$/gm)].map(
      ([, up = ""]) => up,
    )
  const send = async (): Promise<string> => shownOutcome(await forward(sliceOf("t", ["a"]), SENDER))
  second.closeConnections()
  const { port } = second
  second.server.close()
  assert.equal(await send(), "accepted 1")
  assert.deepEqual(await shownUp(), ["1"])
  await look()
  assert.deepEqual(await shownUp(), ["1", "0"])
  assert.match(
    log(),
    new RegExp(`level=warn .*"the upstream is unavailable, .*upstream=http://127.0.0.1:${port}/.*refused`),
  )
  // one that has requests is not looked at
  assert.equal(first.received.length, 1)
  second.server.listen(port, "127.0.0.1")
  await once(second.server, "listening")
  clock.time = 20_000
  assert.equal(await send(), "accepted 1")
  clock.time = 70_000
  await look()
  assert.deepEqual(await shownUp(), ["1", "1"])
  assert.deepEqual(
    [first, second].map(({ received }) => received.map(({ raw }) => raw.split(" ")[0])),
    [["POST", "POST"], ["HEAD"]],
  )
})

test("an upstream without requests that responds with 503 is not ready; any other status is a sign of life", async (t) => {
  const clock = { time: 0 }
  let status = 503
  const upstream = await startUpstream(t, ({ socket }) => respondWith(socket, status))
  const { look, registry } = await startForward(t, [upstream.url], {}, {}, () => clock.time)
  const isUp = async (): Promise<string | undefined> =>
    /^fedstack_tenancy_proxy_upstream_up\{.*\} (\d)$/m.exec(await registry.metrics())?.[1]
  await look()
  assert.equal(await isUp(), "0")
  status = 405
  await look()
  assert.equal(await isUp(), "1")
  assert.doesNotMatch(upstream.received.map(({ raw }) => raw).join(""), /x-scope-orgid/i)
})
