import assert from "node:assert/strict"
import { createServer, type RequestListener } from "node:http"
import { test, type TestContext } from "node:test"
import { gzipSync } from "node:zlib"
import { Deadline } from "#core/retry/deadline.ts"
import { listen } from "../../dev/testing/listen.ts"
import { until } from "../../dev/testing/until.ts"
import { fetchStream, type StreamOptions } from "./client.ts"

async function upstream(t: TestContext, handle: RequestListener): Promise<URL> {
  return new URL(`http://127.0.0.1:${await listen(t, createServer(handle))}/`)
}

const NEVER = new AbortController().signal

async function read(url: URL, options: Partial<StreamOptions> = {}): Promise<string> {
  using response = await fetchStream(url, { lifetime: NEVER, ...options })
  let text = String(response.status)
  for await (const chunk of response.body) text += ` ${chunk.toString()}`
  return text
}

test("hands on the body while it arrives", async (t) => {
  const written = Promise.withResolvers<void>()
  const url = await upstream(t, (_, response) => {
    response.write("a")
    void written.promise.then(() => response.end("b"))
  })
  using response = await fetchStream(url, { lifetime: NEVER })
  const chunks: string[] = []
  for await (const chunk of response.body) {
    chunks.push(chunk.toString())
    written.resolve()
  }
  assert.deepEqual(chunks, ["a", "b"])
})

test("requests a compressed body only where that is wanted, and decodes it", async (t) => {
  const url = await upstream(t, ({ headers }, response) => {
    const encoding = headers["accept-encoding"] ?? "none"
    if (encoding === "gzip") response.setHeader("content-encoding", encoding)
    response.end(encoding === "gzip" ? gzipSync("compressed") : encoding)
  })
  assert.equal(await read(url), "200 none")
  assert.equal(await read(url, { gzip: true }), "200 compressed")
})

test("counts the bytes of the uncompressed body against its limit", async (t) => {
  const url = await upstream(t, (_, response) => {
    response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync("x".repeat(1001)))
  })
  await assert.rejects(read(url, { gzip: true, limit: 1000 }), {
    reason: "too_many_bytes",
    message: `GET ${url.href}: the response is larger than 1000 bytes`,
  })
  assert.equal((await read(url, { gzip: true, limit: 1001 })).length, 1005)
})

test("ends where no byte comes for the time of silence, where no response begins, and at the deadline", async (t) => {
  const url = await upstream(t, (request, response) => void (request.url === "/silent" && response.write("a")))
  using lifetime = new Deadline(0.1)
  const silent = new URL("/silent", url)
  // undici looks at these times once a second
  const endings = [read(silent, { silence: 0.1 }), read(url, { begin: 0.1 }), read(silent, { lifetime })]
  const failures = await Promise.allSettled(endings)
  assert.deepEqual(
    failures.map((result) => (result as { reason?: Error }).reason?.message),
    [
      `GET ${silent.href}: no whole response in time`,
      `GET ${url.href}: no whole response in time`,
      `GET ${silent.href}: no whole response within 0.1 s`,
    ],
  )
})

test("closes the connection of a body that is not read to its end", async (t) => {
  let open = 0
  const url = await upstream(t, ({ socket }, response) => {
    open++
    socket.once("close", () => open--)
    response.write("a")
  })
  {
    using response = await fetchStream(url, { lifetime: NEVER })
    assert.deepEqual([response.status, open], [200, 1])
  }
  await until("the connection to be closed", () => (open === 0 ? true : undefined))
})

test("reads a small body as text", async (t) => {
  const url = await upstream(t, (_, response) => response.writeHead(403).end("refused"))
  using response = await fetchStream(url, { lifetime: NEVER })
  assert.deepEqual([response.status, await response.text(7)], [403, "refused"])
  using other = await fetchStream(url, { lifetime: NEVER })
  await assert.rejects(other.text(6), { reason: "too_many_bytes" })
})
