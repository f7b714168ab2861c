import assert from "node:assert/strict"
import { test } from "node:test"
import { defineError } from "#core/errors.ts"
import { createRegistry } from "#core/metrics/registry.ts"
import { addAdmin } from "./server.ts"
import { webSettings } from "./settings.ts"
import { readSettings } from "#core/config/read-settings.ts"
import { sendRaw } from "../../dev/testing/send-raw.ts"
import { startServer } from "./testing.ts"

const teapot = defineError("TEAPOT", 418, "{who} is a teapot.")

test("every refusal is one plain sentence of ours that repeats nothing of the request", async (t) => {
  const { port } = await startServer(t, {
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
    ["GET /%zzSECRET HTTP/1.1", "400 Bad Request", "This request is malformed.\n"],
    ["GET /items/%ffSECRET HTTP/1.1", "400 Bad Request", "This request is malformed.\n"],
    [`GET /items/${"SECRET".repeat(100)} HTTP/1.1`, "414 URI Too Long", "The path is too long.\n"],
    ["GET * HTTP/1.1", "400 Bad Request", "This request is malformed.\n"],
    ["OPTIONS * HTTP/1.1", "400 Bad Request", "This request is malformed.\n"],
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
    [`POST /push HTTP/1.1\r\n${json}content-length: 3\r\n\r\n{"S`, "400 Bad Request", "This request is malformed.\n"],
    [
      `POST /push HTTP/1.1\r\ncontent-type: SECRET/x\r\ncontent-length: 1\r\n\r\nx`,
      "415 Unsupported Media Type",
      "Bodies of this type are not accepted here.\n",
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
      "The target and headers of the request have more than 16384 bytes.\n",
    ],
    [
      `GET /${"SECRET".repeat(5000)} HTTP/1.1`,
      "431 Request Header Fields Too Large",
      "The target and headers of the request have more than 16384 bytes.\n",
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
    const response = await sendRaw(port, text.includes("\r\n\r\n") ? text : `${text}\r\n\r\n`)
    const [head = "", ...bodies] = response.split("\r\n\r\n")
    assert.deepEqual([head.split("\r\n")[0], bodies.join("")], [`HTTP/1.1 ${status}`, body], request.slice(0, 60))
    assert.match(head, /content-type: text\/plain; charset=utf-8/i)
    assert.doesNotMatch(response, /SECRET|secret|\bat .*\.ts/)
  }
})

test("logs an unexpected error with its causes", async (t) => {
  const { url, log } = await startServer(t, {
    routes(app) {
      app.get("/", () => {
        throw new Error("list things", { cause: new Error("disk gone") })
      })
    },
  })
  assert.equal(await (await fetch(url)).text(), "Internal error; see the log.\n")
  assert.match(log(), /level=error component=test msg="request failed" .*reason="list things: disk gone"/)
})

test("serves health, readiness and metrics, with the reason where it is not ready", async (t) => {
  let reason: string | undefined = "No configuration yet."
  const { url } = await startServer(t, {
    routes: (app) => addAdmin(app, createRegistry(), () => reason),
  })
  const get = async (path: string) => {
    const response = await fetch(`${url}${path}`)
    return [response.status, response.headers.get("content-type"), await response.text()] as const
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

test("responds to HEAD as to GET, without a body", async (t) => {
  const { url } = await startServer(t)
  const response = await fetch(url, { method: "HEAD" })
  assert.deepEqual([response.status, response.headers.get("content-length"), await response.text()], [200, "6", ""])
})

test("an empty --web.config.file is none, as in Prometheus' own exporters", () => {
  const usage = { command: "fedstack test", summary: "", settings: webSettings(":80") }
  const reading = readSettings(usage, ["--web.config.file="], {})
  assert.ok(reading.kind === "values")
  assert.equal(reading.values.webConfigFile, undefined)
})
