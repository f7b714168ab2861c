import assert from "node:assert/strict"
import { createServer, type RequestListener } from "node:http"
import { createServer as createTcpServer, type AddressInfo } from "node:net"
import { once } from "node:events"
import { test, type TestContext } from "node:test"
import { listen } from "../../../dev/testing/listen.ts"
import { probed, targetOf } from "./testing.ts"

for (const [status, headers, cause] of [
  [204, {}, "wrong_server"],
  [301, { location: "/login" }, "redirect"],
  [400, {}, "bad_request"],
  [404, {}, "not_found"],
  [405, {}, "wrong_server"],
  [413, {}, "too_large_url"],
  [414, {}, "too_large_url"],
  [418, {}, "wrong_server"],
  [429, { "retry-after": "7" }, "rate_limited"],
  [431, {}, "too_large_url"],
  [499, {}, "server_error"],
  [500, {}, "server_error"],
  [501, {}, "wrong_server"],
  [503, {}, "upstream_down"],
  [504, {}, "upstream_down"],
  [522, {}, "wrong_server"],
] as const) {
  test(`a response with ${status} is ${cause}`, async (t) => {
    const respond: RequestListener = (_, response) => response.writeHead(status, headers).end()
    const port = await listen(t, createServer(respond))
    const lines = await probed(await targetOf(t, `url: "http://127.0.0.1:${port}", token: {file: token}`))
    assert.equal(lines.at(-1)?.split(":")[0], cause)
    assert.equal(lines[5]?.startsWith(`✕ response ${status}`), true)
  })
}

test("a site that limits its clients is shown with its words", async (t) => {
  const respond: RequestListener = (_, response) =>
    response.writeHead(429, { "retry-after": "7" }).end("20 requests a second are allowed\n")
  const port = await listen(t, createServer(respond))
  const lines = await probed(await targetOf(t, `url: "http://127.0.0.1:${port}", token: {file: token}`))
  assert.equal(
    lines.at(-1),
    "rate_limited: The site refuses so many requests (429): 20 requests a second are allowed. It may be requested again in 7 s.",
  )
})

/** Responds to what comes with these bytes. */
async function serveBytes(t: TestContext, bytes: string): Promise<number> {
  const server = createTcpServer((socket) => {
    socket.on("error", () => undefined).once("data", () => socket.end(bytes))
  }).listen(0, "127.0.0.1")
  t.after(() => server.close())
  await once(server, "listening")
  return (server.address() as AddressInfo).port
}

for (const [name, bytes, finding] of [
  [
    "what is no HTTP, by its first bytes",
    "SSH-2.0-OpenSSH_9.2\r\n",
    "not_http: What listens on 127.0.0.1:PORT does not respond with valid HTTP (it begins with SSH-2.0-OpenSSH_9.2).",
  ],
  ["what closes the connection", "", "hung_up: The site accepted the connection and closed it without a response."],
  [
    "headers of a megabyte",
    `HTTP/1.1 200 OK\r\nX: ${"y".repeat(1_000_000)}\r\n\r\n`,
    "not_http: What listens on 127.0.0.1:PORT does not respond with valid HTTP.",
  ],
  [
    "escape sequences and bidirectional text, cleaned",
    "HTTP/1.1 404 No\r\nconnection: close\r\n\r\n\u001B[31mred\u0000 \u202Eevil s3cret-token\n",
    "not_found: There is no federation at http://127.0.0.1:PORT/federate (404 Not Found).",
  ],
] as const) {
  test(`a probe shows ${name}`, async (t) => {
    const port = await serveBytes(t, bytes)
    const lines = await probed(await targetOf(t, `url: "http://127.0.0.1:${port}", token: {file: token}`))
    assert.equal(lines.at(-1), finding)
    assert.doesNotMatch(lines.join(""), /s3cret|\p{Cc}|\p{Cf}/u)
  })
}

test("a site that never responds ends in time", async (t) => {
  const port = await listen(t, createServer())
  const target = await targetOf(t, `url: "http://127.0.0.1:${port}", token: {file: token}`)
  const lines = await probed(target, { seconds: 1 })
  assert.deepEqual(lines.slice(3), [
    "– token",
    "– selectors",
    "✕ response no whole response within 1 s",
    "– exposition",
    "– freshness",
    "no_answer: The site did not respond within 1 s: the request was sent, but no headers came back.",
  ])
})

test("of several selectors those alone count as refused that are, not those for which the site fails", async (t) => {
  const url = `http://127.0.0.1:${await listen(
    t,
    createServer(({ url: path = "" }, response) => {
      const match = new URL(path, "http://site").searchParams.getAll("match[]")
      response.writeHead(match.length === 1 && match[0] === "up" ? 500 : 403).end("no")
    }),
  )}`
  const target = await targetOf(t, `url: "${url}", token: {file: token}, match: [up, down]`)
  const [, , , , selectors] = await probed(target)
  assert.equal(selectors, "✕ selectors 403: 1 of 2 refused: down; no")
})
