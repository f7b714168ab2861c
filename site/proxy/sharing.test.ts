import assert from "node:assert/strict"
import { once } from "node:events"
import { connect } from "node:net"
import { test } from "node:test"
import { gzipSync } from "node:zlib"
import { request } from "undici"
import { until } from "../../dev/testing/until.ts"
import { type Respond, BEARER, METRICS, ok, QUERY, REUSE, sample, scrape, SHARED, startBoth } from "./testing.ts"

test("sends Prometheus one request for 50 portals at the same time, without any reuse", async (t) => {
  let finish = (): void => undefined
  const respond: Respond = (_, response) => {
    ok(response).write("a 1\n")
    finish = () => response.end("b 1\n")
  }
  const { upstream, proxy } = await startBoth(t, respond, { limits: { upstreamTimeout: 60 } })
  const responses = Array.from({ length: 50 }, () => scrape(proxy.url))
  await until("50 requests in flight", async () => {
    const metrics = await (await fetch(`${proxy.adminUrl}/metrics`)).text()
    return /in_flight\{client="portal"\} 50/.exec(metrics) ?? undefined
  })
  finish()
  assert.deepEqual(new Set((await Promise.all(responses)).map(({ body }) => body)), new Set(["a 1\nb 1\n"]))
  assert.equal(upstream.received.length, 1)
  const sources = (await proxy.requests(50)).map(({ source }) => source)
  assert.deepEqual([sources.filter((one) => one === "upstream").length, new Set(sources).size], [1, 2])
})

test("begins its response before Prometheus has ended", async (t) => {
  const { proxy } = await startBoth(t, (_, response) => ok(response).write("a 1\n"))
  const client = connect(proxy.port, "127.0.0.1")
  t.after(() => client.destroy())
  client.write(`GET /federate?${QUERY} HTTP/1.1\r\nHost: x\r\nAuthorization: ${BEARER.authorization}\r\n\r\n`)
  const [bytes] = (await once(client, "data")) as [Buffer]
  assert.match(bytes.toString(), /^HTTP\/1\.1 200 OK\r\n[^]*a 1\n\r\n$/)
})

test("serves the same entry in any spelling, and logs it", async (t) => {
  const { upstream, proxy } = await startBoth(t, sample, REUSE)
  await scrape(proxy.url)
  const spelled = `match[]=${encodeURIComponent('{job="project_usages", __name__=~"project_.*_usage"}')}`
  const response = await request(`${proxy.url}/federate?${spelled}`, { headers: BEARER })
  assert.deepEqual([response.statusCode, await response.body.text()], [200, "a 1\n"])
  assert.equal(response.headers["content-length"], "4")
  assert.equal(upstream.received.length, 1)
  const [, line] = await proxy.requests(2)
  const { ts: _, seconds: __, ...rest } = line ?? {}
  assert.deepEqual(rest, {
    level: "info",
    component: "proxy",
    method: "GET",
    path: "/federate",
    client: "portal",
    match: SHARED,
    rule: "--allow",
    remote: "127.0.0.1",
    status: 200,
    reason: "ok",
    source: "reused",
    series: 1,
    bytes: 4,
    msg: "request",
  })
})

const DIFFERENT: readonly (readonly [title: string, one: Record<string, string>, other: Record<string, string>])[] = [
  ["of another Accept", { accept: "text/plain" }, { accept: "text/plain;escaping=allow-utf-8" }],
  ["of an Accept in another order", { accept: "text/plain,*/*" }, { accept: "*/*,text/plain" }],
  ["with and without Accept", {}, { accept: "*/*" }],
  ["with and without gzip", {}, { "accept-encoding": "gzip" }],
  ["with gzip and a refused gzip", { "accept-encoding": "gzip" }, { "accept-encoding": "gzip;q=0" }],
]
for (const [title, one, other] of DIFFERENT) {
  test(`shares no response between requests ${title}`, async (t) => {
    const echo: Respond = ({ headers }, response) => {
      const gzip = headers["accept-encoding"] === "gzip"
      const body = `# ${headers.accept} ${headers["accept-encoding"]}\n`
      ok(response, gzip ? { "content-encoding": "gzip" } : {}).end(gzip ? gzipSync(body) : body)
    }
    const { upstream, proxy } = await startBoth(t, echo, REUSE)
    const first = await scrape(proxy.url, one)
    const second = await scrape(proxy.url, other)
    assert.notEqual(first.body, second.body)
    assert.equal((await scrape(proxy.url, one)).body, first.body)
    assert.equal(upstream.received.length, 2)
  })
}

test("shares a response between spellings of an Accept, whatever else a client writes into it", async (t) => {
  const { upstream, proxy } = await startBoth(t, sample, REUSE)
  for (let index = 0; index < 20; index++) {
    const accept = `text/plain ; q=1, a/b;n=${index},text/plain;q=1;x=${index}, ${`x/${index},`.repeat(1000)}`
    assert.equal((await scrape(proxy.url, { accept })).status, 200)
  }
  const accepts = upstream.received.map(({ rawHeaders }) => rawHeaders[rawHeaders.indexOf("accept") + 1])
  assert.deepEqual(accepts, ["text/plain;q=1"])
})

for (const [name, value] of [
  ["range", "bytes=0-1"],
  ["if-none-match", "*"],
  ["if-modified-since", "Fri, 01 Jan 2100 00:00:00 GMT"],
  ["cache-control", "no-cache"],
] as const) {
  test(`ignores ${name}`, async (t) => {
    const { upstream, proxy } = await startBoth(t, sample, REUSE)
    for (let round = 0; round < 2; round++) {
      const { status, body } = await scrape(proxy.url, { [name]: value })
      assert.deepEqual([status, body], [200, "a 1\n"])
    }
    assert.equal(upstream.received.length, 1)
    assert.equal(upstream.received[0]?.rawHeaders.includes(name), false)
  })
}

test("serves HEAD from the entry of GET, without its body", async (t) => {
  const { upstream, proxy } = await startBoth(t, sample, REUSE)
  await scrape(proxy.url)
  const { status, headers, body } = await scrape(proxy.url, {}, "HEAD")
  assert.deepEqual([status, headers["content-length"], headers["content-type"], body], [200, "4", METRICS, ""])
  assert.equal(upstream.received.length, 1)
})

test("serves GET with its body from what HEAD requested before", async (t) => {
  const { upstream, proxy } = await startBoth(t, sample, REUSE)
  assert.equal((await scrape(proxy.url, {}, "HEAD")).body, "")
  assert.equal((await scrape(proxy.url)).body, "a 1\n")
  assert.deepEqual(
    upstream.received.map(({ method }) => method),
    upstream.received.map(() => "GET"),
  )
})

test("keeps no response that failed", async (t) => {
  let good = false
  const { proxy } = await startBoth(
    t,
    (r, response) => (good ? sample(r, response) : response.writeHead(500).end()),
    REUSE,
  )
  assert.equal((await scrape(proxy.url)).status, 502)
  good = true
  assert.equal((await scrape(proxy.url)).status, 200)
})

test("cuts off a slow reader at its own time, while others get the same response", async (t) => {
  const size = 9_000_000
  const { proxy } = await startBoth(t, (_, response) => ok(response).end(`${"x".repeat(size - 1)}\n`), REUSE)
  const slow = connect(proxy.port, "127.0.0.1").pause()
  t.after(() => slow.destroy())
  slow.write(
    `GET /federate?${QUERY} HTTP/1.1\r\nHost: x\r\nAuthorization: ${BEARER.authorization}\r\n` +
      `X-Prometheus-Scrape-Timeout-Seconds: 5\r\n\r\n`, // within which a busy machine gets the response
  )
  assert.equal((await scrape(proxy.url)).body.length, size)
  const lines = await proxy.requests(2)
  assert.deepEqual(
    lines.map(({ reason }) => reason),
    ["ok", "client_slow"],
  )
})

test("a scraper with a short timeout leaves without harm to the others", async (t) => {
  let finish = (): void => undefined
  const { upstream, proxy } = await startBoth(t, (_, response) => (finish = () => ok(response).end("a 1\n")))
  const patient = scrape(proxy.url)
  await until("the request upstream", () => upstream.received[0])
  assert.equal((await scrape(proxy.url, { "x-prometheus-scrape-timeout-seconds": "0.2" })).status, 504)
  finish()
  assert.equal((await patient).body, "a 1\n")
  assert.equal(upstream.received.length, 1)
})
