import assert from "node:assert/strict"
import { once } from "node:events"
import { Agent, get, type IncomingMessage } from "node:http"
import { type TestContext, test } from "node:test"
import { LOOPBACK, startServer } from "#core/http/testing.ts"
import { until } from "../../../dev/testing/until.ts"
import { SECURITY_HEADERS } from "../security.ts"
import { type Live, openLive } from "./hub.ts"
import { addLive } from "./routes.ts"
import { changingSource, handClock, siteStatus, views } from "./testing.ts"

test("a stream is neither stored, changed nor collected on its way", async (t) => {
  const { stream } = await open(t)
  const { statusCode, headers } = await stream()
  const { date: _, ...others } = headers
  assert.deepEqual(
    [statusCode, others],
    [
      200,
      {
        "content-type": "text/event-stream",
        ...SECURITY_HEADERS,
        "cache-control": "no-store, no-transform",
        "x-accel-buffering": "no",
        connection: "close",
        "transfer-encoding": "chunked",
      },
    ],
  )
})

test("a stream begins with what the page lacks, and goes on with what changes", async (t) => {
  const { live, stream, set, clock } = await open(t)
  const version = live.version()
  set(siteStatus("a", { state: "down" }))
  clock.advance(1000)
  const read = reader(await stream(`?since=${version}`))
  assert.match(
    await read(),
    /^retry: 3750\nid: run-1\nevent: changes\ndata: .*"all":false,"rows":\[\["a","<tr>a down <\/tr>"\]\]/,
  )
  set(siteStatus("a", { state: "stale" }))
  clock.advance(1000)
  assert.match(await read(), /^id: run-2\nevent: changes\ndata: .*"rows":\[\["a","<tr>a stale <\/tr>"\]\]/)
})

test("Last-Event-ID of a stream that was lost wins over the version in its address", async (t) => {
  const { stream, set, clock } = await open(t)
  set(siteStatus("a", { state: "down" }))
  clock.advance(1000)
  const read = reader(await stream("?since=run-0", { "last-event-id": "run-1" }))
  assert.match(await read(), /"all":false,"rows":\[\]/)
})

test(
  "of 300 streams 256 are open, the others get 204, and all end when the server does",
  { timeout: 60_000 },
  async (t) => {
    const { stream, serving } = await open(t)
    const responses = await Promise.all(Array.from({ length: 300 }, () => stream()))
    const streams = responses.filter(({ statusCode }) => statusCode === 200)
    assert.deepEqual([streams.length, responses.filter(({ statusCode }) => statusCode === 204).length], [256, 44])
    const ends = streams.map((response) => once(response.resume(), "end"))
    await serving.close()
    await Promise.all(ends)
  },
)

test("a client that does not read is cut, and does not hold the others up", async (t) => {
  const { live, stream, set, clock } = await open(t)
  const stalled = await stream()
  stalled.pause()
  const lost = once(stalled.socket, "close")
  const read = reader(await stream("?since=run-0"))
  await read()
  for (let round = 1; !stalled.socket.destroyed && round < 200; round++) {
    set(siteStatus("a", { reason: `${round}${"x".repeat(200_000)}` }))
    clock.advance(1000)
    assert.match(await read(), new RegExp(`^id: run-${round}\n`))
    if (live.streams() === 1) break
  }
  assert.equal(live.streams(), 1)
  stalled.resume()
  await lost
})

test("a place is free when a client leaves", async (t) => {
  const { live, stream } = await open(t)
  const response = await stream()
  assert.equal(live.streams(), 1)
  response.destroy()
  await until("the stream to be over", () => (live.streams() === 0 ? true : undefined))
})

test("pages that poll get the same, and 304 where nothing changed", async (t) => {
  const { url, set, clock } = await open(t)
  const first = await fetch(`${url}/api/v1/changes?since=run-0`)
  const tag = first.headers.get("etag") ?? ""
  assert.deepEqual([first.status, tag, first.headers.get("cache-control")], [200, `"run-0"`, "no-cache"])
  assert.deepEqual(await first.json(), {
    id: "run-0",
    now: Date.parse("2026-11-30T14:00:00Z"),
    all: false,
    rows: [],
    gone: [],
    details: [],
    summary: { title: "0 down", icon: "/ok.svg", parts: { headline: "<b>1</b>" } },
  })
  const again = () => fetch(`${url}/api/v1/changes?since=run-0`, { headers: { "if-none-match": tag } })
  assert.equal((await again()).status, 304)
  set(siteStatus("a", { state: "down" }))
  clock.advance(1000)
  assert.equal((await again()).status, 200)
})

test("HEAD opens no stream", async (t) => {
  const { url, live } = await open(t)
  const response = await fetch(`${url}/api/v1/events`, { method: "HEAD" })
  assert.deepEqual([response.status, live.streams()], [405, 0])
})

async function open(t: TestContext) {
  const changing = changingSource(siteStatus("a"))
  const clock = handClock()
  const live: Live = openLive({ source: changing.source, views, clock, random: () => 0.5, epoch: "run" })
  const { serving, port, url } = await startServer(t, {
    addresses: [LOOPBACK],
    // longer than a test may take: nothing but the end of the streams lets the server end
    timeouts: { close: 3600 },
    routes(app, closing) {
      closing.addEventListener("abort", live.close)
      addLive(app, live)
    },
  })
  const agent = new Agent({ maxSockets: Infinity })
  t.after(() => agent.destroy())
  const stream = async (query = "", headers = {}): Promise<IncomingMessage> => {
    const [response] = await once(get(`http://127.0.0.1:${port}/api/v1/events${query}`, { agent, headers }), "response")
    return response as IncomingMessage
  }
  return { ...changing, clock, live, serving, url, stream }
}

/** The next whole event that is no beat. */
function reader(response: IncomingMessage): () => Promise<string> {
  const chunks = response.setEncoding("utf8")[Symbol.asyncIterator]()
  let text = ""
  return async function next(): Promise<string> {
    while (!text.includes("\n\n")) {
      const { value, done } = await chunks.next()
      if (done === true) throw new Error("the stream ended")
      text += value
    }
    const end = text.indexOf("\n\n") + 2
    const event = text.slice(0, end)
    text = text.slice(end)
    return event.startsWith(":") ? next() : event
  }
}
