import assert from "node:assert/strict"
import { createServer, type RequestListener } from "node:http"
import { test, type TestContext } from "node:test"
import { Agent } from "undici"
import { FedstackError } from "#core/errors.ts"
import { fetchText, type FetchOptions } from "./client.ts"
import { Deadline } from "#core/retry/deadline.ts"
import { listen } from "../../dev/testing/listen.ts"

const LIMITS = { deadline: 5, limit: 1000 }

async function upstream(t: TestContext, handle: RequestListener): Promise<string> {
  return `http://127.0.0.1:${await listen(t, createServer(handle))}`
}

async function failure(url: string, options: Partial<FetchOptions> = {}): Promise<string> {
  try {
    await fetchText(new URL(url), { ...LIMITS, ...options })
  } catch (error) {
    assert.ok(error instanceof FedstackError)
    assert.deepEqual([error.code, error.status], ["REQUEST_FAILED", 502])
    return error.message
  }
  throw new Error("there was a response")
}

test("sends method, headers and query, and gives status, type and text", async (t) => {
  const received: unknown[] = []
  const url = await upstream(t, (request, response) => {
    received.push(request.method, request.url, request.headers["x-a"])
    response.writeHead(201, { "content-type": "text/x", "x-b": "c" }).end("grüß")
  })
  const response = await fetchText(new URL(`${url}/p?q=1`), { ...LIMITS, method: "POST", headers: { "x-a": "b" } })
  const { headers, ...others } = response
  assert.deepEqual(others, { status: 201, contentType: "text/x", body: "grüß" })
  assert.deepEqual(headers["x-b"], "c")
  assert.deepEqual(received, ["POST", "/p?q=1", "b"])
})

test("a redirect is a response, not followed", async (t) => {
  let requests = 0
  const url = await upstream(t, (_, response) => {
    requests += 1
    response.writeHead(302, { location: "/other" }).end()
  })
  assert.equal((await fetchText(new URL(url), LIMITS)).status, 302)
  assert.equal(requests, 1)
})

test("a response of the limit passes, one byte more does not, and the connection ends", async (t) => {
  const ended = Promise.withResolvers<void>()
  const url = await upstream(t, (request, response) => {
    if (request.url === "/fits") response.end("x".repeat(1000))
    else {
      response.write("x".repeat(1001))
      request.socket.once("close", () => ended.resolve())
    }
  })
  assert.equal((await fetchText(new URL(`${url}/fits`), LIMITS)).body.length, 1000)
  assert.equal(await failure(`${url}/large?key=SECRET`), `GET ${url}/large: the response is larger than 1000 bytes`)
  await ended.promise
})

for (const [what, begin] of [
  ["no header", () => undefined],
  ["a body without an end", (response) => void response.write("a")],
] as const satisfies readonly (readonly [string, (response: Parameters<RequestListener>[1]) => void])[]) {
  test(`the deadline holds for ${what}`, async (t) => {
    const url = await upstream(t, (_, response) => begin(response))
    assert.equal(
      await failure(`${url}/slow?key=SECRET`, { deadline: 0.1 }),
      `GET ${url}/slow: no whole response within 0.1 s`,
    )
  })
}

test("an abort from outside ends it", async (t) => {
  const ending = new AbortController()
  const url = await upstream(t, () => ending.abort(new Error("the process ends")))
  assert.equal(
    await failure(`${url}/?key=SECRET#SECRET`, { signal: ending.signal }),
    `GET ${url}/: the request was cancelled`,
  )
  assert.equal(await failure(`${url}/`, { signal: ending.signal }), `GET ${url}/: the request was cancelled`)
})

test("a request that is cancelled while it waits for a connection is not sent, and one that is cancelled before neither", async (t) => {
  const received: (string | undefined)[] = []
  const arrived = Promise.withResolvers<() => void>()
  const url = await upstream(t, (request, response) => {
    received.push(request.url)
    if (request.url === "/first") arrived.resolve(() => response.end("first"))
    else response.end("other")
  })
  const dispatcher = new Agent({ connections: 1 })
  t.after(() => dispatcher.destroy())
  const first = fetchText(new URL(`${url}/first`), { ...LIMITS, dispatcher })
  const finish = await arrived.promise
  const ending = new AbortController()
  const cancelled = failure(`${url}/cancelled`, { dispatcher, signal: ending.signal })
  ending.abort()
  assert.equal(await cancelled, `GET ${url}/cancelled: the request was cancelled`)
  const before = failure(`${url}/before`, { dispatcher, signal: ending.signal })
  assert.equal(await before, `GET ${url}/before: the request was cancelled`)
  finish()
  assert.equal((await first).body, "first")
  assert.equal((await fetchText(new URL(`${url}/last`), { ...LIMITS, dispatcher })).body, "other")
  assert.deepEqual(received, ["/first", "/last"])
})

test("an informational response is no beginning of the response", async (t) => {
  const url = await upstream(t, ({ socket }, response) => {
    response.writeProcessing()
    setImmediate(() => socket.destroy())
  })
  assert.equal(await failure(url), `GET ${url}/: the connection was closed without a response`)
})

test("several requests share a deadline", async (t) => {
  const url = await upstream(t, (request, response) => void (request.url === "/fast" && response.end("a")))
  using deadline = new Deadline(0.3)
  assert.equal((await fetchText(new URL(`${url}/fast`), { ...LIMITS, deadline })).body, "a")
  assert.equal(await failure(`${url}/slow`, { deadline }), `GET ${url}/slow: no whole response within 0.3 s`)
  assert.equal(await failure(`${url}/fast`, { deadline }), `GET ${url}/fast: no whole response within 0.3 s`)
})

test("closes the connection after the response where that is wanted", async (t) => {
  const sockets = new Set<unknown>()
  const url = await upstream(t, ({ socket }, response) => response.end(String(sockets.add(socket).size)))
  const dispatcher = new Agent({ connections: 1 })
  t.after(() => dispatcher.destroy())
  const numbers: string[] = []
  for (const closeConnection of [false, true, false])
    numbers.push((await fetchText(new URL(url), { ...LIMITS, dispatcher, closeConnection })).body)
  assert.deepEqual(numbers, ["1", "1", "2"])
})

test("a path that a URL would resolve is sent as it is", async (t) => {
  const origin = await upstream(t, ({ url }, response) => response.end(url))
  const { body } = await fetchText({ origin, pathname: "/a/../%2e%2e/b", search: "?c" }, LIMITS)
  assert.equal(body, "/a/../%2e%2e/b?c")
})
