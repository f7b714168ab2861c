import assert from "node:assert/strict"
import { once } from "node:events"
import type { ServerResponse } from "node:http"
import { connect } from "node:net"
import { test } from "node:test"
import { until } from "../../dev/testing/until.ts"
import { received, sendRaw } from "../../dev/testing/send-raw.ts"
import { openDoor, standIn } from "./testing.ts"

const FORM = { "content-type": "application/x-www-form-urlencoded" }
const QUERY = "/prometheus/api/v1/query"

test("a form is passed on, written anew, as large as 1 MiB", async (t) => {
  const upstream = await standIn(t)
  const door = await openDoor(t, upstream.url)
  const body = `query=${"a".repeat(1_048_576 - 6)}`
  const response = await fetch(`${door.url}${QUERY}?timeout=5s`, { method: "POST", headers: FORM, body })
  assert.equal(response.status, 200)
  const [{ url, body: got, headers } = { url: "", body: "", headers: {} }] = upstream.received
  assert.deepEqual(
    [url, got === body, headers["content-type"], headers["content-length"]],
    [`${QUERY}?timeout=5`, true, FORM["content-type"], "1048576"],
  )
})

for (const [what, head, body] of [
  ["that names its length", "Content-Length: 1000000000", ""],
  ["in chunks", "Transfer-Encoding: chunked", `100001\r\n${"a".repeat(0x10_00_01)}\r\n`],
] as const) {
  test(`a body of 1 GB ${what} is refused at once, and its connection closed`, async (t) => {
    const upstream = await standIn(t)
    const door = await openDoor(t, upstream.url)
    const request = `POST ${QUERY} HTTP/1.1\r\nHost: a\r\nContent-Type: ${FORM["content-type"]}\r\n${head}\r\n\r\n${body}`
    const response = await sendRaw(door.port, request)
    assert.match(response, /^HTTP\/1.1 413 .*\r\nconnection: close\r\n.*The body of the request is too large\.\n$/is)
    assert.deepEqual(upstream.received, [])
  })
}

for (const [request, status, text] of [
  [`GET ${QUERY}`, 400, "A GET request has no body."],
  ["POST /prometheus/api/v1/write", 404, "The portal does not pass this through to Prometheus."],
] as const) {
  test(`a body of 1 GB that comes with ${request} is not read`, async (t) => {
    const upstream = await standIn(t)
    const door = await openDoor(t, upstream.url)
    const response = await sendRaw(door.port, `${request} HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\n`)
    assert.match(response, new RegExp(`^HTTP/1.1 ${status} .*\r\nconnection: close\r\n.*${text}\n$`, "is"))
    assert.deepEqual(upstream.received, [])
  })
}

for (const type of ["application/json", "multipart/form-data; boundary=x", "text/plain"]) {
  test(`a body of type ${type} is refused`, async (t) => {
    const upstream = await standIn(t)
    const door = await openDoor(t, upstream.url)
    const response = await fetch(door.url + QUERY, {
      method: "POST",
      headers: { "content-type": type },
      body: "query=up",
    })
    assert.deepEqual([response.status, upstream.received], [415, []])
  })
}

for (const headers of [
  { origin: "https://evil.example.org" },
  { origin: "null" },
  { "sec-fetch-site": "cross-site" },
  { "sec-fetch-site": "same-site" },
] as const) {
  test(`a form that a page elsewhere sent is refused: ${JSON.stringify(headers)}`, async (t) => {
    const upstream = await standIn(t)
    const door = await openDoor(t, upstream.url)
    const given = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
    const request = `POST ${QUERY} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${given.join("")}Content-Type: ${FORM["content-type"]}\r\nContent-Length: 1\r\n\r\na`
    assert.match(await sendRaw(door.port, request), /^HTTP\/1.1 403 /)
    assert.deepEqual(upstream.received, [])
  })
}

test("one client has so many requests at once, and another as many", async (t) => {
  const waiting: ServerResponse[] = []
  const upstream = await standIn(t, (_request, response) => void waiting.push(response))
  const door = await openDoor(t, upstream.url, {
    concurrent: 2,
    userOf: ({ headers }) => headers["user-agent"],
  })
  const send = (client: string) => fetch(door.url + QUERY, { headers: { "user-agent": client } })
  const first = [send("a"), send("a")]
  await until("two requests", () => (waiting.length === 2 ? true : undefined))
  const third = await send("a")
  assert.deepEqual(
    [third.status, third.headers.get("retry-after"), await third.text()],
    [429, "1", "a may have 2 requests in flight at once; retry when one has ended.\n"],
  )
  const other = send("b")
  await until("three requests", () => (waiting.length === 3 ? true : undefined))
  for (const response of waiting) response.end("{}")
  assert.deepEqual(
    [...(await Promise.all([...first, other]))].map(({ status }) => status),
    [200, 200, 200],
  )
  const again = send("a")
  await until("four requests", () => (waiting.length === 4 ? true : undefined))
  waiting[3]?.end("{}")
  assert.equal((await again).status, 200)
})

test("a client that leaves ends the request to the upstream, before and within its response", async (t) => {
  for (const begun of [false, true]) {
    const ended = Promise.withResolvers<void>()
    const upstream = await standIn(t, (_request, response) => {
      response.once("close", () => ended.resolve())
      if (begun) response.write("x".repeat(100_000))
    })
    const door = await openDoor(t, upstream.url)
    const socket = connect(door.port, "127.0.0.1")
    socket.write(`GET ${QUERY} HTTP/1.1\r\nHost: a\r\n\r\n`)
    if (begun) await once(socket, "data")
    else await until("the request", () => (upstream.received.length === 1 ? true : undefined))
    socket.destroy()
    await ended.promise
    assert.equal(door.log().includes("not passed through"), false)
  }
})

test("a response is streamed as it comes, and a slow client holds the upstream back", async (t) => {
  let written = 0
  const upstream = await standIn(t, (_request, response) => {
    const chunk = Buffer.alloc(65_536, "x")
    const more = (): void => {
      while (written < 2 ** 30 && response.write(chunk)) written += chunk.length
      if (!response.destroyed) response.once("drain", more)
    }
    more()
  })
  const door = await openDoor(t, upstream.url)
  const socket = connect(door.port, "127.0.0.1")
  socket.write(`GET ${QUERY} HTTP/1.1\r\nHost: a\r\n\r\n`)
  await once(socket, "data")
  socket.pause()
  let before = -1
  const held = await until("the upstream to wait", () => {
    const same = written === before
    before = written
    return same ? written : undefined
  })
  assert.ok(held < 64 * 2 ** 20, `${held} bytes`)
  socket.destroy()
  await received(socket)
})

for (const path of [QUERY, "/prometheus/graph", "/prometheus/api/v1/notifications/live"]) {
  test(`WebSocket is refused at ${path}`, async (t) => {
    const upstream = await standIn(t)
    const door = await openDoor(t, upstream.url)
    const response = await sendRaw(
      door.port,
      `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
    )
    assert.match(response, /^HTTP\/1.1 400 .*WebSocket connections are not passed through\.\n$/s)
    assert.deepEqual(upstream.received, [])
  })
}

test("a request to upgrade to HTTP/2 is one of HTTP/1.1", async (t) => {
  const upstream = await standIn(t)
  const door = await openDoor(t, upstream.url)
  const request = `GET ${QUERY} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, close\r\nUpgrade: h2c\r\n\r\n`
  assert.match(await sendRaw(door.port, request), /^HTTP\/1.1 200 /)
  assert.equal(upstream.received[0]?.headers.upgrade, undefined)
})
