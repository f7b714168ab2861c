import assert from "node:assert/strict"
import { connect } from "node:net"
import { test } from "node:test"
import { received, sendRaw } from "../../dev/testing/send-raw.ts"
import { until } from "../../dev/testing/until.ts"
import { startServer } from "./testing.ts"

const HOSTS: readonly (readonly [what: string, headers: readonly string[], status: number])[] = [
  ["one host", ["Host: a.example:8000"], 200],
  ["an IPv4 address", ["Host: 127.0.0.1"], 200],
  ["an IPv6 address", ["Host: [::1]:8000"], 200],
  ["an IPv6 address with a zone", ["Host: [fe80::1%25eth0]"], 200],
  ["an empty host", ["Host:"], 200],
  ["a name that is no ASCII", ["Host: b\u00fccher.example"], 400],
  ["no host", [], 400],
  ["two hosts", ["Host: a", "Host: b"], 400],
  ["the same host twice", ["Host: a", "host: a"], 400],
  ["two hosts, an empty one among them", ["Host: a", "HOST: "], 400],
  ["a list of hosts", ["Host: a,b"], 400],
  ["a host with a space", ["Host: a b"], 400],
  ["a host with a path", ["Host: a/b"], 400],
  ["a host with a user", ["Host: b@a"], 400],
  ["a host with a port that is no number", ["Host: a:b"], 400],
]
for (const [what, headers, status] of HOSTS) {
  test(`${what}: ${status}`, async (t) => {
    const { port } = await startServer(t)
    const response = await sendRaw(port, ["GET / HTTP/1.1", ...headers, "Connection: close", "", ""].join("\r\n"))
    assert.equal(/^HTTP\/1\.1 (\d+) /.exec(response)?.[1], String(status))
    if (status === 400) {
      assert.match(response, /\r\nconnection: close\r\n/i)
      assert.match(response, /\r\n\r\nThis is not a valid HTTP request\.\n$/)
    }
  })
}

test("HTTP/1.0 needs no host, and may not have two", async (t) => {
  const { port } = await startServer(t)
  assert.match(await sendRaw(port, "GET / HTTP/1.0\r\n\r\n"), /^HTTP\/1\.1 200 /)
  assert.match(await sendRaw(port, "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"), /^HTTP\/1\.1 400 /)
})

test("an unknown expectation changes nothing", async (t) => {
  const { port } = await startServer(t)
  const head = ["GET / HTTP/1.1", "Host: a", "Expect: wonders", "Connection: close", "", ""].join("\r\n")
  assert.match(await sendRaw(port, head), /^HTTP\/1\.1 200 [^]*\r\n\r\nhello\n$/)
})

test("what is refused before a route is logged and counted, without what was sent", async (t) => {
  const { port, log } = await startServer(t)
  await sendRaw(port, "secret nonsense\r\n\r\n")
  await sendRaw(port, `GET / HTTP/1.1\r\nHost: a\r\nX: secret${"a".repeat(20_000)}\r\n\r\n`)
  const lines = log().match(/msg="client refused".*/g)
  assert.deepEqual(lines, [
    'msg="client refused" client=127.0.0.1 reason="it sent what is not a valid HTTP request" failure=malformed listener=127.0.0.1:0',
    'msg="client refused" client=127.0.0.1 reason="the target and headers of its request have more than 16384 bytes" failure=headers_too_large listener=127.0.0.1:0',
  ])
})

const headersOf = (bytes: number): string => `GET / HTTP/1.1\r\nHost: a\r\nX: ${"a".repeat(bytes)}\r\n`

test("headers up to the limit are read, and beyond it the response and the log name the limit", async (t) => {
  const { port, log } = await startServer(t, { headers: { bytes: 100_000, setting: "request_bytes" } })
  assert.match(await sendRaw(port, `${headersOf(99_000)}Connection: close\r\n\r\n`), /^HTTP\/1\.1 200 /)
  const beyond = "The target and headers of the request have more than 100000 bytes, the limit request_bytes.\n"
  const response = await sendRaw(port, `${headersOf(100_000)}\r\n`)
  assert.deepEqual([response.slice(0, 13), response.split("\r\n\r\n")[1]], ["HTTP/1.1 431 ", beyond])
  assert.match(
    log(),
    /reason="the target and headers of its request have more than 100000 bytes; raise the limit request_bytes, or let it request less at once" failure=headers_too_large/,
  )
})

test("another limit counts for new connections", async (t) => {
  const { port, serving } = await startServer(t, { headers: { bytes: 16_384 } })
  const request = `${headersOf(50_000)}Connection: close\r\n\r\n`
  assert.match(await sendRaw(port, request), /^HTTP\/1\.1 431 /)
  serving.limitHeaders({ bytes: 100_000 })
  assert.match(await sendRaw(port, request), /^HTTP\/1\.1 200 /)
  serving.limitHeaders({ bytes: 20_000 })
  assert.match(await sendRaw(port, request), /^HTTP\/1\.1 431 [^]* more than 20000 bytes\.\n$/)
})

test("requests that never become whole take no more memory than all of them may, and others are served", async (t) => {
  const { port, log } = await startServer(t, { headers: { bytes: 1_048_576 } })
  const sockets = Array.from({ length: 60 }, () =>
    connect(port, "127.0.0.1")
      .on("error", () => undefined)
      .resume(),
  )
  t.after(() => sockets.forEach((socket) => socket.destroy()))
  for (const socket of sockets) socket.write(headersOf(1_000_000))
  await until("connections to be closed", () =>
    sockets.filter(({ closed }) => closed).length >= 26 ? true : undefined,
  )
  assert.match(await sendRaw(port, `${headersOf(100)}Connection: close\r\n\r\n`), /^HTTP\/1\.1 200 /)
  assert.match(log(), /failure=unfinished_headers/)
  assert.ok(sockets.filter(({ closed }) => !closed).length >= 30, "no more are closed than must be")
})

test("large requests that wait on one connection are fewer than small ones", async (t) => {
  const { log, port } = await startServer(t, {
    headers: { bytes: 262_144 },
    routes: (app) => void app.get("/", async (_, reply) => reply.hijack()),
  })
  const socket = connect(port, "127.0.0.1")
  for (let i = 0; i < 8; i++) socket.write(`${headersOf(100_000)}\r\n`)
  await received(socket)
  assert.match(log(), /failure=pipelined/)
})

test("a request with more headers than are read is refused", async (t) => {
  const { port, log } = await startServer(t)
  const request = (count: number): string => {
    const headers = Array.from({ length: count - 2 }, (_, index) => `X-${index}: a`)
    return ["GET / HTTP/1.1", "Host: a", ...headers, "Connection: close", "", ""].join("\r\n")
  }
  assert.match(await sendRaw(port, request(200)), /^HTTP\/1\.1 200 /)
  assert.match(await sendRaw(port, request(201)), /^HTTP\/1\.1 431 [^]*\r\n\r\nA request has at most 200 headers\.\n$/)
  assert.match(await sendRaw(port, request(3000)), /^HTTP\/1\.1 431 /)
  assert.match(log(), /reason="its request has more than 200 headers" failure=headers_too_large/)
})
