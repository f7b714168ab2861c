import assert from "node:assert/strict"
import { createServer, type RequestListener } from "node:http"
import { test, type TestContext } from "node:test"
import { FedstackError } from "#core/errors.ts"
import { exchange, type OutboundOptions } from "#core/http/client.ts"
import { freePort } from "../../dev/testing/free-port.ts"
import { listen } from "../../dev/testing/listen.ts"

const LIMITS = { deadline: 5, limit: 1000 }

async function upstream(t: TestContext, handle: RequestListener): Promise<string> {
  return `http://127.0.0.1:${await listen(t, createServer(handle))}`
}

async function failure(url: string, options: Partial<OutboundOptions> = {}): Promise<string> {
  try {
    await exchange(new URL(url), { ...LIMITS, ...options })
  } catch (error) {
    assert.ok(error instanceof FedstackError)
    assert.deepEqual([error.code, error.status], ["REQUEST_FAILED", 502])
    return error.message
  }
  throw new Error("there was an answer")
}

test("sends method, headers and query, and gives status, type and text", async (t) => {
  const received: unknown[] = []
  const url = await upstream(t, (request, response) => {
    received.push(request.method, request.url, request.headers["x-a"])
    response.writeHead(201, { "content-type": "text/x" }).end("grüß")
  })
  const answer = await exchange(new URL(`${url}/p?q=1`), { ...LIMITS, method: "POST", headers: { "x-a": "b" } })
  assert.deepEqual(answer, { status: 201, contentType: "text/x", body: "grüß" })
  assert.deepEqual(received, ["POST", "/p?q=1", "b"])
})

test("a redirect is an answer, not followed", async (t) => {
  let requests = 0
  const url = await upstream(t, (_, response) => {
    requests += 1
    response.writeHead(302, { location: "/other" }).end()
  })
  assert.deepEqual(await exchange(new URL(url), LIMITS), { status: 302, contentType: "", body: "" })
  assert.equal(requests, 1)
})

test("an answer of the limit passes, one byte more does not, and the connection ends", async (t) => {
  const ended = Promise.withResolvers<void>()
  const url = await upstream(t, (request, response) => {
    if (request.url === "/fits") response.end("x".repeat(1000))
    else {
      response.write("x".repeat(1001))
      request.socket.once("close", () => ended.resolve())
    }
  })
  assert.equal((await exchange(new URL(`${url}/fits`), LIMITS)).body.length, 1000)
  assert.equal(await failure(`${url}/large?key=SECRET`), `GET ${url}/large: the answer is larger than 1000 bytes`)
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
      `GET ${url}/slow: no whole answer within 0.1 s`,
    )
  })
}

test("a refused connection says so, without the query and its cause is kept", async () => {
  const port = await freePort()
  assert.equal(
    await failure(`http://127.0.0.1:${port}/a?key=SECRET#SECRET`),
    `GET http://127.0.0.1:${port}/a: no answer`,
  )
  await assert.rejects(
    exchange(new URL(`http://127.0.0.1:${port}/`), LIMITS),
    (error: Error) => (error.cause as NodeJS.ErrnoException).code === "ECONNREFUSED",
  )
})

test("an abort from outside ends it", async (t) => {
  const ending = new AbortController()
  const url = await upstream(t, () => ending.abort(new Error("told to end")))
  assert.equal(await failure(`${url}/?key=SECRET`, { signal: ending.signal }), `GET ${url}/: no answer`)
})

test("a connection that breaks in the body is a failure", async (t) => {
  const url = await upstream(t, (request, response) => {
    response.writeHead(200, { "content-length": "10" }).write("abc", () => request.socket.destroy())
  })
  assert.equal(await failure(`${url}/?key=SECRET`), `GET ${url}/: no answer`)
})
