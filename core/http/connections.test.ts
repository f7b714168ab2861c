import assert from "node:assert/strict"
import { once } from "node:events"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { connect, type Socket } from "node:net"
import { test, type TestContext } from "node:test"
import { trackConnections } from "./connections.ts"
import { listen } from "../../dev/testing/listen.ts"
import { received, sendRaw } from "../../dev/testing/send-raw.ts"
import { until } from "../../dev/testing/until.ts"

/** A server whose requests are kept, in their order, until the test responds. */
async function start(t: TestContext) {
  const requests: { readonly request: IncomingMessage; readonly response: ServerResponse }[] = []
  const sockets: Socket[] = []
  let floods = 0
  const connections = trackConnections({
    handle: (request, response) => requests.push({ request, response }),
    flooded: () => floods++,
  })
  const server = createServer(connections.receive)
  server.on("connection", (socket) => {
    sockets.push(socket)
    connections.add(socket)
  })
  server.on("clientError", (_, socket) => connections.endMalformed(socket as Socket, "malformed"))
  const port = await listen(t, server)
  return {
    connections,
    port,
    requests,
    sockets,
    floods: () => floods,
    targets: () => requests.map(({ request }) => request.url),
    /** The request of this number, once it is handled. */
    handled: (index: number) => until(`request ${index}`, () => requests[index]),
  }
}

const get = (path: string, ...headers: readonly string[]): string =>
  [`GET ${path} HTTP/1.1`, "host: a", ...headers, "", ""].join("\r\n")
const CLOSE = "connection: close"
const bodies = (text: string): string => text.replaceAll(/HTTP\/1\.1 200 OK\r\n[^]*?\r\n\r\n/g, "|")
const ok = (response: ServerResponse, body: string): void =>
  void response.writeHead(200, { "content-length": body.length }).end(body)

test("handles the requests of a connection one after the other", async (t) => {
  const { port, targets, handled } = await start(t)
  const response = sendRaw(port, get("/1") + get("/2") + get("/3", CLOSE))
  for (const index of [0, 1, 2]) {
    const { response: one } = await handled(index)
    assert.equal(targets().length, index + 1)
    ok(one, String(index))
  }
  assert.equal(bodies(await response), "|0|1|2")
})

test("what a connection has read of handled requests is no part of an unfinished one", async (t) => {
  const { port, handled, connections } = await start(t)
  const socket = connect(port, "127.0.0.1")
  socket.write(get("/1"))
  ok((await handled(0)).response, "1")
  await once(socket, "data")
  const bytes = () => [...connections.unfinished()].map(([, read]) => read)
  assert.deepEqual(bytes(), [0])
  socket.write("GET /2")
  await until("the beginning of the next", () => bytes()[0] === "GET /2".length || undefined)
  socket.destroy()
})

test("destroys the connection of a client that sends request upon request, and handles no other of them", async (t) => {
  const { port, targets, floods } = await start(t)
  const socket = connect(port, "127.0.0.1")
  socket.write(get("/").repeat(20_000))
  assert.equal(await received(socket), "")
  assert.deepEqual([targets(), floods()], [["/"], 1])
})

test("a hundred requests may wait", async (t) => {
  const { port, handled, requests, floods } = await start(t)
  const response = sendRaw(port, get("/").repeat(100) + get("/", CLOSE))
  const first = await handled(0)
  // each response to the one before makes the next request come
  requests.push = ({ response: next }) => (ok(next, "x"), 0)
  ok(first.response, "x")
  assert.equal(bodies(await response), "|x".repeat(101))
  assert.equal(floods(), 0)
})

test("a client that always has some requests waiting may send any number", async (t) => {
  const { port, handled, requests, floods } = await start(t)
  const socket = connect(port, "127.0.0.1")
  socket.write(get("/").repeat(10))
  const first = await handled(0)
  let responses = 0
  const ended = Promise.withResolvers<void>()
  socket.on("data", (chunk: Buffer) => {
    responses += chunk.toString().split("HTTP/1.1 200 OK").length - 1
    if (responses < 500) socket.write(get("/"))
    else ended.resolve()
  })
  socket.on("close", () => ended.reject(new Error(`closed after ${responses} responses`)))
  requests.push = ({ response: next }) => (setImmediate(() => ok(next, "x")), 0)
  ok(first.response, "x")
  await ended.promise
  socket.destroy()
  assert.equal(floods(), 0)
})

test("forgets the requests that wait when their client leaves, and ends the one under way", async (t) => {
  const { port, targets, handled, connections, sockets } = await start(t)
  const socket = connect(port, "127.0.0.1")
  socket.write(get("/1") + get("/2"))
  const { response } = await handled(0)
  const closed = once(response, "close")
  socket.destroy()
  await closed
  await until("the connection to be forgotten", () => sockets.every((one) => !connections.has(one)) || undefined)
  assert.deepEqual(targets(), ["/1"])
})

test("what is no request gets its response after those to the requests before it", async (t) => {
  const { port, handled } = await start(t)
  const response = sendRaw(port, `${get("/1")}${get("/2")}nonsense\r\n\r\n`)
  ok((await handled(0)).response, "1")
  ok((await handled(1)).response, "2")
  assert.equal(bodies(await response), "|1|2malformed")
})

test("a request that waits and never becomes whole is not handled", async (t) => {
  const { port, handled, targets } = await start(t)
  const broken = "POST /2 HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nnonsense\r\n\r\n"
  const response = sendRaw(port, get("/1") + broken)
  ok((await handled(0)).response, "1")
  assert.equal(bodies(await response), "|1malformed")
  assert.deepEqual(targets(), ["/1"])
})

test("what is no request ends a response that has begun", async (t) => {
  const { port, handled } = await start(t)
  const socket = connect(port, "127.0.0.1")
  socket.write(get("/"))
  const { response } = await handled(0)
  response.writeHead(200, { "content-length": 100 }).write("begun")
  await once(socket, "data")
  socket.write("nonsense\r\n\r\n")
  assert.equal(await received(socket), "")
})

test("ends an idle connection at its time, and one with a request under way after its response", async (t) => {
  const { port, handled, connections, sockets } = await start(t)
  const idle = connect(port, "127.0.0.1")
  await until("the connection", () => sockets[0])
  const busy = sendRaw(port, get("/1") + get("/2"))
  const { response } = await handled(0)
  for (const socket of sockets) connections.endAt(socket, Date.now() + 1)
  assert.equal(await received(idle), "")
  await until("the end to be decided", () => response.getHeader("connection"))
  ok(response, "1")
  assert.equal(bodies(await busy), "|1")
})

test("a connection that is to end while its response is under way ends after it, and handles no other request", async (t) => {
  const { port, handled, connections, targets } = await start(t)
  const response = sendRaw(port, get("/1") + get("/2"))
  const { response: one } = await handled(0)
  one.writeHead(200, { "content-length": 2 }).write("1")
  connections.endAll()
  one.end("2")
  assert.equal(bodies(await response), "|12")
  assert.deepEqual(targets(), ["/1"])
})

test("a time that is too far for a timer is waited for in parts", async (t) => {
  const { port, handled, connections, sockets } = await start(t)
  const response = sendRaw(port, get("/", CLOSE))
  const { response: one } = await handled(0)
  const timers = t.mock.method(globalThis, "setTimeout")
  for (const socket of sockets) connections.endAt(socket, Date.now() + 10 * 2 ** 31)
  assert.deepEqual(
    timers.mock.calls.map(({ arguments: [, delay] }) => delay),
    [2 ** 31 - 1],
  )
  ok(one, "1")
  assert.equal(bodies(await response), "|1")
})
