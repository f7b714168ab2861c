import assert from "node:assert/strict"
import { once } from "node:events"
import { createServer as createHttpServer } from "node:http"
import { createServer as createSecureServer } from "node:https"
import { type AddressInfo, connect, createServer, type Socket } from "node:net"
import { test } from "node:test"
import { createSecureContext } from "node:tls"
import { makeAuthority } from "../../dev/testing/certificates.ts"
import { listen } from "../../dev/testing/listen.ts"
import { openAgent, openProxyAgent } from "./agent.ts"
import { fetchText } from "./client.ts"

test("ends a connection that is not there within its time, also where only the TLS handshake is late", async (t) => {
  const sockets: Socket[] = []
  const server = createServer((socket) => sockets.push(socket))
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const dispatcher = openAgent({ connectTimeout: 0.1 })
  t.after(() => dispatcher.destroy())
  const url = new URL(`https://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  await assert.rejects(fetchText(url, { deadline: 5, limit: 1, dispatcher }), {
    reason: "no_answer",
    problem: "no whole response in time",
  })
})

test("verifies a certificate through a forward proxy as without one: authority and name", async (t) => {
  const authority = makeAuthority("CA")
  const issued = authority.issue({ name: "site", sans: ["DNS:site.example.org"] })
  const server = createSecureServer(issued, (_, response) => response.end("hello"))
  const port = await listen(t, server)
  const targets: (string | undefined)[] = []
  const proxy = createHttpServer().on("connect", ({ url }, client: Socket) => {
    targets.push(url)
    const through = connect(port, "127.0.0.1", () => {
      client.write("HTTP/1.1 200 OK\r\n\r\n")
      client.pipe(through).pipe(client)
    })
    for (const [one, other] of [
      [client, through],
      [through, client],
    ] as const)
      one.on("error", () => undefined).on("close", () => other.destroy())
  })
  const at = new URL(`http://127.0.0.1:${await listen(t, proxy)}`)
  const secureContext = createSecureContext({ ca: authority.cert })
  const outcomes: string[] = []
  for (const options of [
    { secureContext, serverName: "site.example.org" },
    { secureContext },
    { serverName: "site.example.org" },
  ]) {
    const dispatcher = openProxyAgent(at, options)
    t.after(() => dispatcher.destroy())
    const outcome = fetchText(new URL(`https://127.0.0.1:${port}/`), { deadline: 10, limit: 100, dispatcher })
    outcomes.push(
      await outcome.then(
        ({ body }) => body,
        (error: { readonly reason: string }) => error.reason,
      ),
    )
  }
  assert.deepEqual(outcomes, ["hello", "tls_wrong_name", "tls_unknown_ca"])
  assert.deepEqual(targets, Array(3).fill(`127.0.0.1:${port}`))
})
