import assert from "node:assert/strict"
import { test } from "node:test"
import {
  accept,
  type Respond,
  respondWith,
  SENDER,
  shownOutcome,
  sliceOf,
  startForward,
  startUpstream,
  writtenHeaders,
} from "./testing.ts"

const raw =
  (text: string, then: "close" | "keep" = "keep"): Respond =>
  ({ socket }) => {
    socket.write(text, "latin1")
    if (then === "close") socket.end()
  }

const NO_BODY = "content-length: 0\r\n\r\n"
const OK = `HTTP/1.1 200 OK\r\n${NO_BODY}`
const LONG = 300_000

interface Case {
  readonly name: string
  readonly respond: Respond
  /** Of a slice with two samples. */
  readonly outcome: string
  readonly version?: 2
  /** That the upstream receives. */
  readonly requests?: number
}

const CASES: readonly Case[] = [
  {
    name: "closes the connection without a response",
    respond: ({ socket }) => void socket.end(),
    outcome: "0 0 the connection was closed without a response",
    requests: 2,
  },
  {
    name: "resets the connection",
    respond: ({ socket }) => void socket.resetAndDestroy(),
    outcome: "0 0 the connection was reset",
    requests: 2,
  },
  {
    name: "closes within the head of a success",
    respond: raw("HTTP/1.1 200 OK\r\ncontent-len", "close"),
    outcome: "0 0 the connection was closed without a response",
    requests: 2,
  },
  {
    name: "closes within the body of a success",
    respond: raw("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nstored", "close"),
    outcome: "accepted 2",
  },
  {
    name: "closes within the body of a refusal",
    respond: raw("HTTP/1.1 400 Bad\r\ncontent-length: 100\r\n\r\nout of order", "close"),
    outcome: "400 0 out of order",
  },
  { name: "sends no HTTP", respond: raw("+OK POP3 ready\r\n", "close"), outcome: "0 0 the response is not HTTP" },
  {
    name: "sends an early hint",
    respond: raw(`HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n${OK}`),
    outcome: "accepted 2",
  },
  {
    name: "sends only an early hint",
    respond: raw("HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n", "close"),
    outcome: "0 0 the connection was closed without a response",
    requests: 2,
  },
  {
    name: "redirects to itself",
    respond: raw(`HTTP/1.1 307 Elsewhere\r\nlocation: /api/v1/push\r\n${NO_BODY}`),
    outcome: "307 0 the upstream redirects (307), which is not followed",
  },
  {
    name: "redirects a success away",
    respond: raw(`HTTP/1.1 302 Found\r\nlocation: http://192.0.2.1/\r\n${NO_BODY}`),
    outcome: "302 0 the upstream redirects (302), which is not followed",
  },
  {
    name: "sends more headers than are read",
    respond: raw(`HTTP/1.1 200 OK\r\nx-a: ${"a".repeat(20_000)}\r\n${NO_BODY}`),
    outcome: "0 0 the response is too large",
  },
  {
    name: "sends 300 kB of an error with control characters",
    respond: ({ socket }) => respondWith(socket, 400, {}, "\u001b[31m\u0000bad \r\n\u202e".repeat(LONG / 15)),
    outcome: `400 0 ${"[31m bad ".repeat(100).slice(0, 508).trimEnd()}…`,
  },
  {
    name: "sends an error without end",
    respond: ({ socket }) => {
      socket.write("HTTP/1.1 500 Error\r\ntransfer-encoding: chunked\r\n\r\n")
      const write = (): void => {
        if (!socket.destroyed) socket.write("5\r\nerror\r\n", () => setImmediate(write))
      }
      write()
    },
    outcome: `500 0 ${"error".repeat(200).slice(0, 509)}…`,
  },
  {
    name: "sends a text that is no UTF-8",
    respond: raw("HTTP/1.1 400 Bad\r\ncontent-length: 4\r\n\r\n\xff\xfeab"),
    outcome: "400 0 ��ab",
  },
  {
    name: "refuses without a word",
    respond: raw(`HTTP/1.1 422 Bad\r\n${NO_BODY}`),
    outcome: "422 0 the upstream's status is 422",
  },
  {
    name: "refuses the proxy's credentials",
    respond: ({ socket }) => respondWith(socket, 401, {}, "no org id"),
    outcome: "401 0 the upstream refuses the proxy's own credentials (401): no org id",
  },
  {
    name: "forbids the proxy",
    respond: ({ socket }) => respondWith(socket, 403),
    outcome: "403 0 the upstream refuses the proxy's own credentials (403)",
  },
  { name: "has accepted version 1 later", respond: ({ socket }) => respondWith(socket, 202), outcome: "accepted 2" },
  {
    name: "reports counts for version 1",
    respond: ({ socket }) => respondWith(socket, 200, writtenHeaders(0)),
    outcome: "accepted 2",
  },
  {
    name: "takes version 2 for version 1",
    version: 2,
    respond: ({ socket }) => respondWith(socket, 200),
    outcome: "415 0 the upstream did not understand remote write 2: its status is 200, without counts of what it wrote",
  },
  {
    name: "writes nothing of version 2 with success",
    version: 2,
    respond: ({ socket }) => respondWith(socket, 204, writtenHeaders(0)),
    outcome: "400 0 the upstream reports success (204), and that it wrote nothing",
  },
  {
    name: "has deduplicated version 2",
    version: 2,
    respond: ({ socket }) => respondWith(socket, 202),
    outcome: "accepted 2",
  },
  {
    name: "has written more than was sent",
    version: 2,
    respond: ({ socket }) => respondWith(socket, 204, writtenHeaders(1e9)),
    outcome: "accepted 2",
  },
  {
    name: "has written a part, and only says so of samples",
    version: 2,
    respond: ({ socket }) => respondWith(socket, 400, { "x-prometheus-remote-write-samples-written": 1 }, "bad"),
    outcome: "400 1 bad",
  },
  {
    name: "reports counts that are none",
    version: 2,
    respond: raw(
      `HTTP/1.1 200 OK\r\n${["-1", "1e3", "0x10"].map((text, index) => `x-prometheus-remote-write-${["samples", "histograms", "exemplars"][index]}-written: ${text}\r\n`).join("")}${NO_BODY}`,
    ),
    outcome: "415 0 the upstream did not understand remote write 2: its status is 200, without counts of what it wrote",
  },
  {
    name: "reports a count twice",
    version: 2,
    respond: raw(`HTTP/1.1 200 OK\r\n${"x-prometheus-remote-write-samples-written: 2\r\n".repeat(2)}${NO_BODY}`),
    outcome: "415 0 the upstream did not understand remote write 2: its status is 200, without counts of what it wrote",
  },
]

for (const { name, respond, outcome, version = 1, requests = 1 } of CASES) {
  test(`an upstream that ${name}`, async (t) => {
    const upstream = await startUpstream(t, respond)
    const { forward } = await startForward(t, [upstream.url])
    assert.equal(shownOutcome(await forward(sliceOf("t", ["a", "b"], { version }), SENDER)), outcome)
    assert.equal(upstream.received.length, requests)
  })
}

test("an upstream that sends no response, or no end of it, has so many seconds", async (t) => {
  const upstream = await startUpstream(t, ({ socket, tenant }) => {
    if (tenant === "drips") socket.write("HTTP/1.1 500 Error\r\ncontent-length: 100\r\n\r\nerr")
    if (tenant === "accepts") socket.write("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nok")
  })
  const { forward } = await startForward(t, [upstream.url], { timeout: 2 })
  const outcomes = ["silent", "drips", "accepts"].map((tenant) => forward(sliceOf(tenant, ["a"]), SENDER))
  assert.deepEqual((await Promise.all(outcomes)).map(shownOutcome), [
    "0 0 no response within 2 s",
    "500 0 err",
    "accepted 1",
  ])
})

for (const how of ["end", "destroy", "resetAndDestroy"] as const) {
  test(`an upstream that closes connections which were idle, by ${how}, gets the request on a new one`, async (t) => {
    const upstream = await startUpstream(t, (received) => {
      if (received.before > 0) received.socket[how]()
      else void accept(received)
    })
    const { forward } = await startForward(t, [upstream.url])
    const outcomes = []
    for (const name of ["a", "b", "c"]) outcomes.push(await forward(sliceOf("t", [name]), SENDER))
    assert.deepEqual(outcomes.map(shownOutcome), Array(3).fill("accepted 1"))
    assert.deepEqual(
      upstream.received.map(({ samples, before }) => [...samples, before]),
      [
        ["a", 0],
        ["b", 1],
        ["b", 0],
        ["c", 1],
        ["c", 0],
      ],
    )
  })
}

test("all idle connections may be closed at once, as by an upstream that was started anew", async (t) => {
  const upstream = await startUpstream(t, accept)
  const { forward } = await startForward(t, [upstream.url])
  const send = () =>
    Promise.all(Array.from({ length: 20 }, (_, index) => forward(sliceOf(`tenant-${index}`, ["a"]), SENDER)))
  await send()
  upstream.closeConnections()
  assert.deepEqual((await send()).map(shownOutcome), Array(20).fill("accepted 1"))
})

test("a second response that nobody requested is not taken for that of the next request", async (t) => {
  const upstream = await startUpstream(t, (received) => {
    if (received.samples[0] === "first") void raw(`${OK}${OK}`)(received)
    else respondWith(received.socket, 400, {}, "refused")
  })
  const { forward } = await startForward(t, [upstream.url])
  const outcomes = []
  for (const name of ["first", "second"]) outcomes.push(await forward(sliceOf("t", [name]), SENDER))
  assert.deepEqual(outcomes.map(shownOutcome), ["accepted 1", "400 0 refused"])
})
