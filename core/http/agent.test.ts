import assert from "node:assert/strict"
import { once } from "node:events"
import { type AddressInfo, createServer, type Socket } from "node:net"
import { test } from "node:test"
import { openAgent } from "./agent.ts"
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
