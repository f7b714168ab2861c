import assert from "node:assert/strict"
import { once } from "node:events"
import { createServer } from "node:http"
import { connect, Server } from "node:net"
import { test } from "node:test"
import type { FastifyInstance } from "fastify"
import { freePort } from "../../dev/testing/free-port.ts"
import { listen } from "../../dev/testing/listen.ts"
import { received, sendRaw } from "../../dev/testing/send-raw.ts"
import { until } from "../../dev/testing/until.ts"
import { HOURS, LOOPBACK, startServer } from "./testing.ts"

/** Routes whose responses end when they are released. */
function delayed() {
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
  const name = `closing lets ${path} under way finish, refuses new connections and ends idle ones at once`
  test(name, { timeout: 60_000 }, async (t) => {
    const { begun, release, routes } = delayed()
    const { serving, port } = await startServer(t, { routes, timeouts: HOURS })
    const idle = connect({ port, host: "127.0.0.1" })
    idle.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n")
    await once(idle, "data")
    const silent = connect({ port, host: "127.0.0.1" })
    await once(silent, "connect")
    const response = sendRaw(port, `GET ${path} HTTP/1.1\r\nhost: a\r\n\r\n`)
    await begun
    const closed = serving.close()
    await Promise.all([received(idle), received(silent)])
    await until("new connections to be refused", async () => ((await refused(port)) ? true : undefined))
    release()
    const text = await response
    await closed
    assert.match(text, path === "/slow" ? /connection: close\r\n[\s\S]*done\n$/ : /last\n\r\n0\r\n\r\n$/)
  })
}

test("closing waits until its deadline and no longer", { timeout: 60_000 }, async (t) => {
  const { begun, routes } = delayed()
  const { serving, port } = await startServer(t, { routes, timeouts: { ...HOURS, close: 0.2 } })
  const response = sendRaw(port, "GET /slow HTTP/1.1\r\nhost: a\r\n\r\n")
  await begun
  const began = performance.now()
  await serving.close()
  const took = performance.now() - began
  assert.ok(took >= 190, `${took} ms`)
  assert.equal(await response, "")
})

test("closing twice is one close", async (t) => {
  const { serving } = await startServer(t)
  await Promise.all([serving.close(), serving.close()])
  await serving.close()
})

test("listens on several addresses, IPv6 among them", async (t) => {
  const { serving, log } = await startServer(t, { addresses: [LOOPBACK, { host: "::1", port: 0 }] })
  const [first, second] = serving.addresses
  assert.equal(await (await fetch(`http://127.0.0.1:${first?.port}/`)).text(), "hello\n")
  assert.equal(await (await fetch(`http://[::1]:${second?.port}/`)).text(), "hello\n")
  assert.match(log(), new RegExp(`addresses=127\\.0\\.0\\.1:${first?.port},\\[::1\\]:${second?.port} `))
})

test("an address without a host is all interfaces", async (t) => {
  const { port } = await startServer(t, { addresses: [{ host: "", port: 0 }] })
  assert.equal((await fetch(`http://127.0.0.1:${port}/`)).status, 200)
})

test("a busy port is named with the flag that chooses another, and nothing stays open", async (t) => {
  const port = await listen(t, createServer())
  const free = await freePort()
  const addresses = [free, port].map((each) => ({ ...LOOPBACK, port: each }))
  await assert.rejects(startServer(t, { addresses, flag: "--port" }), {
    message: `Cannot listen on 127.0.0.1:${port}: another process uses it. Free the port or choose another with --port.`,
  })
  assert.equal(await refused(free), true)
})

test("an address that is not this machine's is named", async (t) => {
  await assert.rejects(startServer(t, { addresses: [{ host: "192.0.2.1", port: 0 }] }), {
    message: /^Cannot listen on 192\.0\.2\.1:0: listen EADDRNOTAVAIL.* --web\.listen-address\.$/,
  })
})

test("a connection that cannot be accepted, as where the machine has no memory for it, ends nothing", async (t) => {
  const servers: Server[] = []
  // oxlint-disable-next-line typescript/unbound-method -- called with what it is called on
  const { listen: original } = Server.prototype
  t.mock.method(Server.prototype, "listen", function (this: Server, ...args: Parameters<typeof original>) {
    servers.push(this)
    return original.apply(this, args)
  })
  const { url, log } = await startServer(t)
  servers[0]?.emit("error", new Error("accept ENOBUFS")) // what Node does then
  assert.match(log(), /level=error component=test msg="connection not accepted" reason="accept ENOBUFS"/)
  assert.equal((await fetch(url)).status, 200)
})

test("a request whose headers never end gets a response and is cut off (slowloris)", async (t) => {
  const { port, url } = await startServer(t, { timeouts: { ...HOURS, headers: 0.2 } })
  const response = await sendRaw(port, "GET / HTTP/1.1\r\nhost: a\r\nx: ")
  assert.match(
    response,
    /^HTTP\/1\.1 408 Request Timeout\r\nconnection: close\r\n[\s\S]*\r\n\r\nThe request took too long to arrive\.\n$/,
  )
  assert.equal((await fetch(url)).status, 200)
})

test("a body that never ends is cut off", async (t) => {
  const { port } = await startServer(t, {
    timeouts: { ...HOURS, headers: 0.2, request: 0.4 },
    routes: (app) => void app.post("/", (_, reply) => reply.send("taken\n")),
  })
  const head = "POST / HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"
  assert.match(await sendRaw(port, head), /^HTTP\/1\.1 408 /)
})

test("a connection without another request is closed after its time", { timeout: 60_000 }, async (t) => {
  const { port } = await startServer(t, { timeouts: { ...HOURS, keepAlive: 0.2 } })
  assert.match(await sendRaw(port, "GET / HTTP/1.1\r\nhost: a\r\n\r\n"), /^HTTP\/1\.1 200 OK\r\n[^]*hello\n$/)
})

test("garbage after a response that has begun does not make a second response in it", async (t) => {
  const { begun, release, routes } = delayed()
  const { port } = await startServer(t, { routes })
  const socket = connect({ port, host: "127.0.0.1" })
  socket.write("GET /stream HTTP/1.1\r\nhost: a\r\n\r\n")
  await begun
  await once(socket, "data")
  socket.write("garbage\r\n\r\n")
  assert.doesNotMatch(await received(socket), /400/)
  release()
})
