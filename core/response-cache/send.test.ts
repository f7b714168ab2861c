import assert from "node:assert/strict"
import { once } from "node:events"
import { createServer, type ServerResponse } from "node:http"
import { connect } from "node:net"
import { text } from "node:stream/consumers"
import { setImmediate as turn } from "node:timers/promises"
import { test } from "node:test"
import { listen } from "../../dev/testing/listen.ts"
import { GrowingResponse } from "./growing.ts"
import { sendGrowing, sendStored } from "./send.ts"
import { boundedMemory } from "./memory.ts"
import { StoredResponse } from "./stored.ts"

test("counts what is stored until its last reader has got it, however slow", async (t) => {
  const content = Buffer.alloc(32_000_000)
  const memory = boundedMemory(content.length, () => false)
  const server = createServer((_, response) => {
    memory.take(content.length)
    const stored = new StoredResponse(0, ["content-type", "text/plain"], content, 1, memory)
    const limits = { responseBytes: content.length, series: 1 }
    sendStored(stored, { name: "a", response, headOnly: false, limits, bytes: 0, series: undefined, fail: assert.fail })
    stored.release()
    server.emit("sent", response)
  })
  const client = connect(await listen(t, server), "127.0.0.1").pause()
  client.write("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
  const [response] = (await once(server, "sent")) as [ServerResponse]
  assert.equal(memory.used, content.length)
  client.resume()
  await once(response, "close")
  assert.equal(memory.used, 0)
})

test("breaks off a stored response that a slow client reads, and gives its memory back at once", async (t) => {
  const content = Buffer.alloc(32_000_000)
  const memory = boundedMemory(content.length, () => false)
  const server = createServer((_, response) => {
    memory.take(content.length)
    const stored = new StoredResponse(0, ["content-type", "text/plain"], content, 1, memory)
    const limits = { responseBytes: content.length, series: 1 }
    const fail = (error: unknown): void => void response.destroy(error as Error)
    sendStored(stored, { name: "slow", response, headOnly: false, limits, bytes: 0, series: undefined, fail })
    stored.release()
    server.emit("sent", response)
  })
  const client = connect(await listen(t, server), "127.0.0.1").pause()
  client.write("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
  const [response] = (await once(server, "sent")) as [ServerResponse]
  response.on("error", () => undefined)
  const quick = new GrowingResponse(memory, () => undefined)
  quick.join(() => undefined, "quick")
  quick.add(Buffer.alloc(1000))
  assert.equal(memory.used, 1000)
  if (!response.closed) await once(response, "close")
  assert.equal(memory.used, 1000)
  client.destroy()
})

test("sends the end after everything that came in one turn with it", async (t) => {
  const growing = new GrowingResponse(
    boundedMemory(1000, () => false),
    () => undefined,
  )
  const server = createServer((_, response) => {
    const limits = { responseBytes: 1000, series: 1000 }
    const fail = (error: unknown): void => void response.destroy(error as Error)
    sendGrowing(growing, { name: "a", response, headOnly: false, limits, bytes: 0, series: undefined, fail })
  })
  const client = connect(await listen(t, server), "127.0.0.1")
  client.write("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
  const received = text(client)
  await once(server, "request")
  growing.begin({ headers: ["content-type", "text/plain"], length: undefined })
  growing.add(Buffer.from("one"))
  await turn()
  growing.add(Buffer.from("two"))
  growing.end({ kind: "whole" })
  const [, content] = (await received).split("\r\n\r\n", 1 + 1)
  assert.equal(content, "3\r\none\r\n3\r\ntwo\r\n0")
})

test("leaves a response that was ended meanwhile, also where that waits behind another on its connection", async (t) => {
  let abandoned = 0
  const growing = new GrowingResponse(
    boundedMemory(1000, () => false),
    () => abandoned++,
  )
  const server = createServer((request, response) => {
    if (request.url === "/first") return
    const limits = { responseBytes: 1000, series: 1000 }
    sendGrowing(growing, {
      name: "a",
      response,
      headOnly: false,
      limits,
      bytes: 0,
      series: undefined,
      fail: assert.fail,
    })
    response.writeHead(504).end("too late\n")
    growing.begin({ headers: ["content-type", "text/plain"], length: undefined })
    growing.add(Buffer.from("one"))
    server.emit("late")
  })
  const client = connect(await listen(t, server), "127.0.0.1")
  t.after(() => client.destroy())
  client.write("GET /first HTTP/1.1\r\nHost: x\r\n\r\nGET /second HTTP/1.1\r\nHost: x\r\n\r\n")
  await once(server, "late")
  await turn()
  assert.equal(abandoned, 1)
})
