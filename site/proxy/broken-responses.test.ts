import assert from "node:assert/strict"
import type { ServerResponse } from "node:http"
import { type TestContext, test } from "node:test"
import { gzipSync } from "node:zlib"
import { sendRaw } from "../../dev/testing/send-raw.ts"
import { until } from "../../dev/testing/until.ts"
import { type Respond, BEARER, ok, QUERY, REUSE, sample, scrape, startBoth } from "./testing.ts"

const BROKEN: readonly (readonly [title: string, respond: Respond])[] = [
  ["a bomb", (_, r) => ok(r, { "content-encoding": "gzip" }).end(gzipSync(Buffer.alloc(50_000_000, "#")))],
  [
    "a compressed body cut short",
    (_, r) => ok(r, { "content-encoding": "gzip" }).end(gzipSync("a 1\n").subarray(0, -5)),
  ],
  ["a body that a short Content-Length cuts", (_, r) => ok(r, { "content-length": "3" }).end("a 1")],
  ["a body that ends within a line", (_, r) => ok(r).end("a 1\nb")],
]
for (const [title, respond] of BROKEN) {
  test(`ends no connection well after ${title}`, async (t) => {
    const { proxy } = await startBoth(t, respond, REUSE)
    await assert.rejects(scrape(proxy.url, { "accept-encoding": "gzip" }))
    const [line] = await proxy.requests(1)
    assert.equal(line?.reason, "response_broken")
  })
}

const trickle: Respond = (_, response) => {
  ok(response).write("a 1\n")
  const more = setInterval(() => response.write("b 1\n"), 20)
  response.once("close", () => clearInterval(more))
}
const REFUSED: readonly (readonly [title: string, respond: Respond, status: number | "broken", reason: string])[] = [
  ["the status 500", (_, r) => r.writeHead(500).end("a 1\n"), 502, "upstream_bad_response"],
  ["the status 503", (_, r) => r.writeHead(503).end("a 1\n"), 503, "upstream_not_ready"],
  ["the status 404", (_, r) => r.writeHead(404).end("a 1\n"), 502, "upstream_bad_response"],
  ["a body that trickles on past the deadline", trickle, "broken", "upstream_timeout"],
]
for (const [title, respond, expected, reason] of REFUSED) {
  test(`refuses ${title}, and keeps nothing of it`, async (t) => {
    let faulty = true
    const halting: Respond = (request, response) => (faulty ? respond : sample)(request, response)
    const { upstream, proxy } = await startBoth(t, halting, {
      ...REUSE,
      limits: { upstreamTimeout: respond === trickle ? 1 : 30 },
    })
    assert.equal(
      await scrape(proxy.url).then(
        ({ status }) => status,
        () => "broken",
      ),
      expected,
    )
    assert.equal((await proxy.requests(1))[0]?.reason, reason)
    faulty = false
    assert.deepEqual((await scrape(proxy.url)).body, "a 1\n")
    assert.equal(upstream.received.length, 2)
  })
}

/** A proxy whose upstream has sent one series to it, for a client that requested it, and goes on by hand. */
async function startHalting(t: TestContext, version: string) {
  const begun = Promise.withResolvers<ServerResponse>()
  const { proxy } = await startBoth(t, (_, response) => begun.resolve(response))
  const storeBytes = async (): Promise<number> => {
    const metrics = await (await fetch(`${proxy.adminUrl}/metrics`)).text()
    return Number(/^fedstack_proxy_store_bytes (\d+)$/m.exec(metrics)?.[1])
  }
  const head = ["Host: x", `Authorization: ${BEARER.authorization}`, "Connection: close"].join("\r\n")
  const received = sendRaw(proxy.port, `GET /federate?${QUERY} ${version}\r\n${head}\r\n\r\n`)
  const upstream = await begun.promise
  const before = await storeBytes() // of the request alone
  ok(upstream).write("a 1\n")
  await until("the series to be there", async () => ((await storeBytes()) === before + 4 ? true : undefined))
  return { upstream, received: received.then((text) => text.split("\r\n\r\n")) }
}

test("a response that breaks lacks its last chunk, on a connection that would close anyway", async (t) => {
  const { upstream, received } = await startHalting(t, "HTTP/1.1")
  upstream.destroy()
  const [head = "", ...body] = await received
  assert.match(head, /^HTTP\/1\.1 200 OK\r\n[^]*\r\nTransfer-Encoding: chunked/)
  assert.deepEqual(body, ["4\r\na 1\n\r\n"])
})

for (const version of ["HTTP/1.0", "HTTP/0.9", "HTTP/2.0"]) {
  for (const [end, status, body] of [
    ["destroy", "502 Bad Gateway", "The site's Prometheus broke off its response.\n"],
    ["end", "200 OK", "a 1\n"],
  ] as const) {
    test(`${version}, which has no chunks, gets ${status} with its length and not before it is whole`, async (t) => {
      const { upstream, received } = await startHalting(t, version)
      upstream[end]()
      const [head = "", ...content] = await received
      assert.deepEqual(
        [head.split("\r\n")[0], /^content-length: (\d+)$/im.exec(head)?.[1], content],
        [`HTTP/1.1 ${status}`, String(body.length), [body]],
      )
    })
  }
}

test("breaks off a response of too many series", async (t) => {
  const body = "a 1\n".repeat(3)
  const { proxy } = await startBoth(t, (_, response) => ok(response).end(body), { limits: { series: 2 } })
  await assert.rejects(async () => assert.equal((await scrape(proxy.url)).status, 200))
  const [line] = await proxy.requests(1)
  assert.equal(line?.reason, "too_many_series")
})
