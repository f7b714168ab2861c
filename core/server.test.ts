import assert from "node:assert/strict"
import { once } from "node:events"
import { connect, createServer as createTcp, type AddressInfo, Server, type Socket } from "node:net"
import { test, type TestContext } from "node:test"
import type { FastifyInstance } from "fastify"
import { defineError } from "#core/errors.ts"
import { createLogger } from "#core/log.ts"
import { createRegistry } from "#core/metrics.ts"
import { addAdmin, serve, type ServeOptions, webSettings } from "#core/server.ts"
import { readSettings } from "#core/settings.ts"
import { until } from "../dev/testing/until.ts"
import { freePort } from "../dev/testing/free-port.ts"

const LOOPBACK = { host: "127.0.0.1", port: 0 }
const teapot = defineError("TEAPOT", 418, "{who} is a teapot.")

async function start(t: TestContext, options: Partial<ServeOptions> = {}) {
  const lines: string[] = []
  const serving = await serve({
    addresses: [LOOPBACK],
    webConfigFile: undefined,
    log: createLogger({ level: "info", format: "logfmt" }, "test", (line) => lines.push(line)),
    routes: (app) => void app.get("/", (_, reply) => reply.send("hello\n")),
    ...options,
  })
  t.after(() => serving.close())
  const port = serving.addresses[0]?.port ?? 0
  return { serving, port, url: `http://127.0.0.1:${port}`, log: () => lines.join("") }
}

/** A route that answers when told. */
function held() {
  const begun = Promise.withResolvers<void>()
  const release = Promise.withResolvers<void>()
  const routes = (app: FastifyInstance): void => {
    app.get("/slow", async (_, reply) => {
      begun.resolve()
      await release.promise
      return reply.send("done\n")
    })
    app.get("/stream", (_, reply) => {
      reply.raw.write("first\n")
      begun.resolve()
      void release.promise.then(() => reply.raw.end("last\n"))
      return reply.hijack()
    })
    app.get("/", (_, reply) => reply.send("hello\n"))
  }
  return { begun: begun.promise, release: release.resolve, routes }
}

/** Sends bytes; all that comes back until the server ends the connection. */
async function raw(port: number, text: string): Promise<string> {
  const socket = connect({ port, host: "127.0.0.1" })
  socket.write(text)
  return received(socket)
}

async function received(socket: Socket): Promise<string> {
  const chunks: Buffer[] = []
  socket.on("data", (chunk: Buffer) => chunks.push(chunk)).on("error", () => undefined)
  if (!socket.closed) await new Promise((resolve) => socket.once("close", resolve))
  return Buffer.concat(chunks).toString()
}

async function refused(port: number): Promise<boolean> {
  const socket = connect({ port, host: "127.0.0.1" })
  try {
    await once(socket, "connect")
    return false
  } catch {
    return true
  } finally {
    socket.destroy()
  }
}

for (const path of ["/slow", "/stream"]) {
  test(`closing lets ${path} under way finish, refuses new connections and ends idle ones at once`, async (t) => {
    const { begun, release, routes } = held()
    const { serving, port } = await start(t, { routes })
    const idle = connect({ port, host: "127.0.0.1" })
    idle.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n")
    await once(idle, "data")
    const silent = connect({ port, host: "127.0.0.1" })
    await once(silent, "connect")
    const answer = raw(port, `GET ${path} HTTP/1.1\r\nhost: a\r\n\r\n`)
    await begun
    const began = performance.now()
    const closed = serving.close()
    await Promise.all([received(idle), received(silent)])
    await until("new connections to be refused", async () => ((await refused(port)) ? true : undefined))
    release()
    const text = await answer
    await closed
    assert.match(text, path === "/slow" ? /connection: close\r\n[\s\S]*done\n$/ : /last\n\r\n0\r\n\r\n$/)
    assert.ok(performance.now() - began < 2000)
  })
}

test("closing does not wait longer than its deadline", async (t) => {
  const { begun, routes } = held()
  const { serving, port } = await start(t, { routes, timeouts: { close: 0.2 } })
  const answer = raw(port, "GET /slow HTTP/1.1\r\nhost: a\r\n\r\n")
  await begun
  const began = performance.now()
  await serving.close()
  const took = performance.now() - began
  assert.ok(took >= 190 && took < 2000, `${took} ms`)
  assert.equal(await answer, "")
})

test("closing twice is one close", async (t) => {
  const { serving } = await start(t)
  await Promise.all([serving.close(), serving.close()])
  await serving.close()
})

test("listens on several addresses, IPv6 among them", async (t) => {
  const { serving, log } = await start(t, { addresses: [LOOPBACK, { host: "::1", port: 0 }] })
  const [first, second] = serving.addresses
  assert.equal(await (await fetch(`http://127.0.0.1:${first?.port}/`)).text(), "hello\n")
  assert.equal(await (await fetch(`http://[::1]:${second?.port}/`)).text(), "hello\n")
  assert.match(log(), new RegExp(`"127\\.0\\.0\\.1:${first?.port}\\\\",\\\\"\\[::1\\]:${second?.port}`))
})

test("an address without a host is all interfaces", async (t) => {
  const { port } = await start(t, { addresses: [{ host: "", port: 0 }] })
  assert.equal((await fetch(`http://127.0.0.1:${port}/`)).status, 200)
})

test("a busy port is named with the flag that chooses another, and nothing stays open", async (t) => {
  const other = createTcp().listen(0, "127.0.0.1")
  await once(other, "listening")
  t.after(() => other.close())
  const { port } = other.address() as AddressInfo
  const free = await freePort()
  const addresses = [
    { host: "127.0.0.1", port: free },
    { host: "127.0.0.1", port },
  ]
  await assert.rejects(start(t, { addresses, flag: "--port" }), {
    message: `Can't listen on 127.0.0.1:${port}: another process uses it. Free the port or choose another with --port.`,
  })
  assert.equal(await refused(free), true)
})

test("an address that is not this machine's is named", async (t) => {
  await assert.rejects(start(t, { addresses: [{ host: "192.0.2.1", port: 0 }] }), {
    message: /^Can't listen on 192\.0\.2\.1:0: listen EADDRNOTAVAIL.* --web\.listen-address\.$/,
  })
})

test("every refusal is one plain sentence of ours that repeats nothing of the request", async (t) => {
  const { port } = await start(t, {
    routes(app) {
      app.get("/", (_, reply) => reply.send("hello\n"))
      app.get("/items/:id", (_, reply) => reply.send("item\n"))
      app.post("/push", (_, reply) => reply.send("taken\n"))
      app.get("/teapot", () => {
        throw teapot({ who: "Polly" })
      })
      app.get("/broken", () => {
        throw new Error("secret of the inside")
      })
      app.get("/thrown", () => {
        // oxlint-disable-next-line no-throw-literal, typescript/only-throw-error -- libraries do
        throw "secret text"
      })
      app.get("/status", () => {
        throw Object.assign(new Error("secret"), { statusCode: 200 })
      })
    },
  })
  const json = "content-type: application/json\r\n"
  const requests: readonly (readonly [request: string, status: string, body: string])[] = [
    ["GET /none-SECRET HTTP/1.1", "404 Not Found", "Nothing here.\n"],
    ["GET //SECRET HTTP/1.1", "404 Not Found", "Nothing here.\n"],
    ["GET //?x=SECRET HTTP/1.1", "404 Not Found", "Nothing here.\n"],
    ["GET /%zzSECRET HTTP/1.1", "400 Bad Request", "This request can't be understood.\n"],
    ["GET /items/%ffSECRET HTTP/1.1", "400 Bad Request", "This request can't be understood.\n"],
    [`GET /items/${"SECRET".repeat(100)} HTTP/1.1`, "414 URI Too Long", "The path is too long.\n"],
    ["GET * HTTP/1.1", "400 Bad Request", "This request can't be understood.\n"],
    ["OPTIONS * HTTP/1.1", "400 Bad Request", "This request can't be understood.\n"],
    ["GET http://SECRET/x HTTP/1.1", "404 Not Found", "Nothing here.\n"],
    ["POST / HTTP/1.1", "405 Method Not Allowed", "Only GET and HEAD can be used here.\n"],
    ["PROPFIND / HTTP/1.1", "405 Method Not Allowed", "Only GET and HEAD can be used here.\n"],
    ["GET /push HTTP/1.1", "405 Method Not Allowed", "Only POST can be used here.\n"],
    [
      `POST / HTTP/1.1\r\n${json}content-length: 3\r\n\r\n{"S`,
      "405 Method Not Allowed",
      "Only GET and HEAD can be used here.\n",
    ],
    [`POST /none HTTP/1.1\r\ncontent-type: SECRET/x\r\ncontent-length: 1\r\n\r\nx`, "404 Not Found", "Nothing here.\n"],
    [
      `POST /push HTTP/1.1\r\n${json}content-length: 3\r\n\r\n{"S`,
      "400 Bad Request",
      "This request can't be understood.\n",
    ],
    [
      `POST /push HTTP/1.1\r\ncontent-type: SECRET/x\r\ncontent-length: 1\r\n\r\nx`,
      "415 Unsupported Media Type",
      "Bodies of this type are not taken here.\n",
    ],
    [
      `POST /push HTTP/1.1\r\n${json}content-length: 2000000\r\n\r\n`,
      "413 Payload Too Large",
      "The body of the request is too large.\n",
    ],
    ["GET /teapot HTTP/1.1", "418 I'm a Teapot", "Polly is a teapot.\n"],
    ["GET /broken HTTP/1.1", "500 Internal Server Error", "Internal error; see the log.\n"],
    ["GET /thrown HTTP/1.1", "500 Internal Server Error", "Internal error; see the log.\n"],
    ["GET /status HTTP/1.1", "500 Internal Server Error", "Internal error; see the log.\n"],
    ["SECRET", "400 Bad Request", "This is not a valid HTTP request.\n"],
    ["GET / HTTP/9.9", "400 Bad Request", "This is not a valid HTTP request.\n"],
    [
      `GET / HTTP/1.1\r\nx: ${"SECRET".repeat(5000)}`,
      "431 Request Header Fields Too Large",
      "The headers of the request are too large.\n",
    ],
    [
      `GET /${"SECRET".repeat(5000)} HTTP/1.1`,
      "431 Request Header Fields Too Large",
      "The headers of the request are too large.\n",
    ],
    [
      "GET / HTTP/1.1\r\ncontent-length: 1\r\ntransfer-encoding: chunked",
      "400 Bad Request",
      "This is not a valid HTTP request.\n",
    ],
  ]
  for (const [request, status, body] of requests) {
    const [line = "", ...rest] = request.split("\r\n")
    const text = [line, "host: a", "connection: close", ...rest].join("\r\n")
    const answer = await raw(port, text.includes("\r\n\r\n") ? text : `${text}\r\n\r\n`)
    const [head = "", ...bodies] = answer.split("\r\n\r\n")
    assert.deepEqual([head.split("\r\n")[0], bodies.join("")], [`HTTP/1.1 ${status}`, body], request.slice(0, 60))
    assert.match(head, /content-type: text\/plain; charset=utf-8/i)
    assert.doesNotMatch(answer, /SECRET|secret|\bat .*\.ts/)
  }
})

test("an unexpected error is told to the log, with its causes", async (t) => {
  const { url, log } = await start(t, {
    routes(app) {
      app.get("/", () => {
        throw new Error("list things", { cause: new Error("disk gone") })
      })
    },
  })
  assert.equal(await (await fetch(url)).text(), "Internal error; see the log.\n")
  assert.match(log(), /level=error component=test msg="request failed" .*reason="list things: disk gone"/)
})

test("a request whose headers never end is told so and cut off (slowloris)", async (t) => {
  const { port, url } = await start(t, { timeouts: { headers: 0.2 } })
  const answer = await raw(port, "GET / HTTP/1.1\r\nhost: a\r\nx: ")
  assert.match(
    answer,
    /^HTTP\/1\.1 408 Request Timeout\r\nconnection: close\r\n[\s\S]*\r\n\r\nThe request took too long to arrive\.\n$/,
  )
  assert.equal((await fetch(url)).status, 200)
})

test("a body that never ends is cut off", async (t) => {
  const { port } = await start(t, {
    timeouts: { headers: 0.2, request: 0.4 },
    routes: (app) => void app.post("/", (_, reply) => reply.send("taken\n")),
  })
  const head = "POST / HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"
  assert.match(await raw(port, head), /^HTTP\/1\.1 408 /)
})

test("a connection without another request is closed after its time", { timeout: 10_000 }, async (t) => {
  const { port } = await start(t, { timeouts: { keepAlive: 0.2 } })
  assert.match(await raw(port, "GET / HTTP/1.1\r\nhost: a\r\n\r\n"), /^HTTP\/1\.1 200 OK\r\n[^]*hello\n$/)
})

test("garbage after an answer that has begun does not make a second answer in it", async (t) => {
  const { begun, release, routes } = held()
  const { port } = await start(t, { routes })
  const socket = connect({ port, host: "127.0.0.1" })
  socket.write("GET /stream HTTP/1.1\r\nhost: a\r\n\r\n")
  await begun
  await once(socket, "data")
  socket.write("garbage\r\n\r\n")
  assert.doesNotMatch(await received(socket), /400/)
  release()
})

test("health, readiness and metrics answer, with the reason where it is not ready", async (t) => {
  let reason: string | undefined = "No configuration yet."
  const { url } = await start(t, {
    routes: (app) => addAdmin(app, { registry: createRegistry(), notReady: () => reason }),
  })
  const get = async (path: string) => {
    const answer = await fetch(`${url}${path}`)
    return [answer.status, answer.headers.get("content-type"), await answer.text()] as const
  }
  const plain = "text/plain; charset=utf-8"
  for (const path of ["/-/healthy", "/healthz", "/livez"]) assert.deepEqual(await get(path), [200, plain, "Healthy.\n"])
  for (const path of ["/-/ready", "/readyz"]) assert.deepEqual(await get(path), [503, plain, "No configuration yet.\n"])
  reason = undefined
  for (const path of ["/-/ready", "/readyz"]) assert.deepEqual(await get(path), [200, plain, "Ready.\n"])
  const [status, type, body] = await get("/metrics")
  assert.deepEqual([status, type], [200, "text/plain; version=0.0.4; charset=utf-8"])
  assert.match(body, /^fedstack_build_info\{version="[^"]+",nodeversion="[^"]+"\} 1$/m)
})

test("HEAD is answered like GET, without a body", async (t) => {
  const { url } = await start(t)
  const answer = await fetch(url, { method: "HEAD" })
  assert.deepEqual([answer.status, answer.headers.get("content-length"), await answer.text()], [200, "6", ""])
})

test("an empty --web.config.file is none, as in Prometheus' own exporters", () => {
  const usage = { command: "fedstack test", summary: "", settings: webSettings(":80") }
  const reading = readSettings(usage, ["--web.config.file="], {})
  assert.ok(reading.kind === "values")
  assert.equal(reading.values.webConfigFile, undefined)
})

test("a connection that can't be taken, as where the machine has no memory for it, ends nothing", async (t) => {
  const servers: Server[] = []
  // oxlint-disable-next-line typescript/unbound-method -- called with what it is called on
  const { listen } = Server.prototype
  t.mock.method(Server.prototype, "listen", function (this: Server, ...args: Parameters<typeof listen>) {
    servers.push(this)
    return listen.apply(this, args)
  })
  const { url, log } = await start(t)
  servers[0]?.emit("error", new Error("accept ENOBUFS")) // what Node does then
  assert.match(log(), /level=error component=test msg="connection not taken" reason="accept ENOBUFS"/)
  assert.equal((await fetch(url)).status, 200)
})
