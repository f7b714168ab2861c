import assert from "node:assert/strict"
import { once } from "node:events"
import { connect } from "node:net"
import { type TestContext, test } from "node:test"
import { until } from "../../dev/testing/until.ts"
import { type Respond, BEARER, METRICS, ok, QUERY, startTestProxy, startUpstream, type TestProxy } from "./testing.ts"

async function start(t: TestContext, respond: Respond, changes: Parameters<typeof startTestProxy>[2] = {}) {
  const upstream = await startUpstream(t, respond)
  return { upstream, proxy: await startTestProxy(t, upstream.url, changes) }
}

async function scrape({ url }: TestProxy, headers: Record<string, string> = {}): Promise<readonly [number, string]> {
  const response = await fetch(`${url}/federate?${QUERY}`, { headers: { ...BEARER, ...headers }, redirect: "manual" })
  return [response.status, await response.text()]
}

const SECRET = "secret-of-the-upstream"
const UNUSABLE = (problem: string) => `The site's Prometheus sent a response that is not a federation: ${problem}.\n`

const FAULTS: readonly (readonly [title: string, respond: Respond, status: number, text: string])[] = [
  [
    "a redirect",
    (_, r) => r.writeHead(302, { location: `http://${SECRET}/` }).end(SECRET),
    502,
    UNUSABLE("its status is 302"),
  ],
  ["an error", (_, r) => r.writeHead(500).end(SECRET), 502, UNUSABLE("its status is 500")],
  ["a bad request", (_, r) => r.writeHead(400).end(SECRET), 502, UNUSABLE("its status is 400")],
  [
    "a demand for a password",
    (_, r) => r.writeHead(401, { "www-authenticate": SECRET }).end(SECRET),
    502,
    UNUSABLE("its status is 401"),
  ],
  ["an empty response without content", (_, r) => r.writeHead(204).end(), 502, UNUSABLE("its status is 204")],
  [
    "a start",
    (_, r) => r.writeHead(503, { "retry-after": "1" }).end(SECRET),
    503,
    "The site's Prometheus is starting or stopping.\n",
  ],
  [
    "a page of HTML",
    (_, r) => r.writeHead(200, { "content-type": "text/html" }).end(SECRET),
    502,
    UNUSABLE("its content type is not one of metrics"),
  ],
  [
    "a response of no type",
    (_, r) => r.writeHead(200).end(SECRET),
    502,
    UNUSABLE("its content type is not one of metrics"),
  ],
  [
    "an unasked encoding",
    (_, r) => ok(r, { "content-encoding": "br" }).end(SECRET),
    502,
    UNUSABLE("its encoding was not requested"),
  ],
  [
    "a response that breaks off before its first byte",
    (_, r) => (ok(r).flushHeaders(), setImmediate(() => r.destroy())),
    502,
    UNUSABLE("it broke off"),
  ],
  ["a connection closed without a response", (_, r) => r.destroy(), 502, "The site's Prometheus cannot be reached.\n"],
  [
    "a response that is announced as too large",
    (_, r) => ok(r, { "content-length": "1000001" }).end(SECRET),
    502,
    "The response is larger than 1000000 bytes.\n",
  ],
]
for (const [title, respond, status, text] of FAULTS) {
  test(`reports in its own words ${title}`, async (t) => {
    const { upstream, proxy } = await start(t, respond)
    assert.deepEqual(await scrape(proxy), [status, text])
    assert.equal(upstream.received.length, 1, "it got one request, without retries")
    assert.equal(proxy.log().includes(SECRET), false)
  })
}

test("responds with 502 where no server listens at the upstream", async (t) => {
  const proxy = await startTestProxy(t, "http://127.0.0.1:1")
  assert.deepEqual(await scrape(proxy), [502, "The site's Prometheus cannot be reached.\n"])
  assert.match(proxy.log(), /ECONNREFUSED/)
})

test("responds with 502 where the upstream has no address", async (t) => {
  const proxy = await startTestProxy(t, "http://prometheus.invalid:9090")
  assert.deepEqual(await scrape(proxy), [502, "The site's Prometheus cannot be reached.\n"])
})

test("gives up on an upstream that hangs, within its own time", async (t) => {
  const { proxy } = await start(t, () => undefined, { upstreamTimeout: 0.2 })
  assert.deepEqual(await scrape(proxy), [504, "The site's Prometheus sent no whole response within 0.2 s.\n"])
  assert.match(proxy.log(), /"code":"upstream_timeout",.*"cause":"not done within 0\.2 s"/)
})

test("gives up on an upstream that hangs, within the scraper's time", async (t) => {
  const { proxy } = await start(t, () => undefined)
  const response = await scrape(proxy, { "x-prometheus-scrape-timeout-seconds": "0.2" })
  assert.deepEqual(response, [504, "The site's Prometheus sent no whole response within 0.19 s.\n"])
})

test("gives up on an upstream that sends headers and then hangs", async (t) => {
  const { proxy } = await start(t, (_, response) => ok(response).flushHeaders(), { upstreamTimeout: 0.2 })
  assert.deepEqual(await scrape(proxy), [504, "The site's Prometheus sent no whole response within 0.2 s.\n"])
})

const BROKEN: readonly (readonly [title: string, respond: Respond, reason: string])[] = [
  ["is killed in the middle of its response", (_, r) => ok(r).write("a 1\n", () => r.destroy()), "response_broken"],
  [
    "announces more than it sends",
    (_, r) => ok(r, { "content-length": "100" }).write("a 1\n", () => r.destroy()),
    "response_broken",
  ],
  [
    "announces more than it sends and ends well",
    (_, r) => ok(r, { "content-length": "100" }).write("a 1\n", () => r.socket?.end()),
    "response_broken",
  ],
  [
    "sends more than the limit",
    (_, r) => ok(r).write("x".repeat(600_000), () => r.end("x".repeat(600_000))),
    "response_too_large",
  ],
  ["stops in the middle of its response", (_, r) => ok(r).write("a 1\n"), "upstream_timeout"],
]
for (const [title, respond, reason] of BROKEN) {
  test(`breaks the client's connection where the upstream ${title}`, async (t) => {
    const { proxy } = await start(t, respond, { upstreamTimeout: reason === "upstream_timeout" ? 0.5 : 60 })
    await assert.rejects(scrape(proxy))
    const [line] = await proxy.requests(1)
    assert.deepEqual([line?.status, line?.reason], [200, reason])
    const metrics = await (await fetch(`${proxy.adminUrl}/metrics`)).text()
    const failures = metrics.match(/(?<=^fedstack_proxy_upstream_failures_total\{reason=")\w+"\} \d+$/gm)
    assert.deepEqual(failures, reason === "response_too_large" ? null : [`${reason}"} 1`])
  })
}

test("ends the request to Prometheus when the client leaves before a response", async (t) => {
  let gone = false
  const { upstream, proxy } = await start(t, (request) => request.socket.once("close", () => (gone = true)))
  const client = connect(proxy.port, "127.0.0.1")
  client.write(`GET /federate?${QUERY} HTTP/1.1\r\nHost: x\r\nAuthorization: ${BEARER.authorization}\r\n\r\n`)
  await until("the request upstream", () => upstream.received[0])
  client.destroy()
  await until("the end of the request upstream", () => gone || undefined)
  const [line] = await proxy.requests(1)
  assert.deepEqual([line?.status, line?.reason], [499, "client_gone"])
})

test("ends the request to Prometheus when the client leaves in the middle", async (t) => {
  let gone = false
  const { proxy } = await start(t, (request, response) => {
    request.socket.once("close", () => (gone = true))
    ok(response).write("a 1\n")
  })
  const client = connect(proxy.port, "127.0.0.1")
  client.write(`GET /federate?${QUERY} HTTP/1.1\r\nHost: x\r\nAuthorization: ${BEARER.authorization}\r\n\r\n`)
  await once(client, "data")
  client.destroy()
  await until("the end of the request upstream", () => gone || undefined)
  const [line] = await proxy.requests(1)
  assert.deepEqual([line?.status, line?.reason, line?.bytes], [200, "client_gone", 4])
})

test("cuts off a client that does not read, when the time is over", async (t) => {
  const size = 20_000_000 // more than the buffers of a connection take
  const respond: Respond = (_, response) => ok(response).end(`${"x".repeat(size - 1)}\n`)
  const { proxy } = await start(t, respond, { upstreamTimeout: 5, responseBytes: size })
  const client = connect(proxy.port, "127.0.0.1").pause()
  t.after(() => client.destroy())
  client.write(`GET /federate?${QUERY} HTTP/1.1\r\nHost: x\r\nAuthorization: ${BEARER.authorization}\r\n\r\n`)
  const [line] = await proxy.requests(1)
  assert.deepEqual([line?.status, line?.reason], [200, "client_slow"])
})

test("responds to HEAD with the headers of GET, which it sends to Prometheus", async (t) => {
  const { upstream, proxy } = await start(t, (_, response) =>
    ok(response, { "content-length": "4", vary: "accept" }).end("a 1\n"),
  )
  const response = await fetch(`${proxy.url}/federate?${QUERY}`, { method: "HEAD", headers: BEARER })
  assert.deepEqual([response.status, await response.text()], [200, ""])
  assert.deepEqual(
    ["content-type", "content-length", "vary"].map((name) => response.headers.get(name)),
    [METRICS, "4", "accept"],
  )
  assert.deepEqual(
    upstream.received.map(({ method }) => method),
    ["GET"],
  )
})

test("passes on an empty response", async (t) => {
  const { proxy } = await start(t, (_, response) => ok(response).end())
  assert.deepEqual(await scrape(proxy), [200, ""])
})

test("finishes the request in flight when it is closed", async (t) => {
  let finish = (): void => undefined
  const { upstream, proxy } = await start(t, (_, response) => (finish = () => ok(response).end("a 1\n")))
  const response = scrape(proxy)
  await until("the request upstream", () => upstream.received[0])
  const closed = proxy.running.close()
  finish()
  assert.deepEqual(await response, [200, "a 1\n"])
  await closed
})

test("is ready without an upstream", async (t) => {
  const proxy = await startTestProxy(t, "http://127.0.0.1:1")
  const response = await fetch(`${proxy.adminUrl}/-/ready`)
  assert.deepEqual([response.status, await response.text()], [200, "Ready.\n"])
})

test("counts requests by client, status and reason", async (t) => {
  const { proxy } = await start(t, (_, response) => ok(response).end("a 1\n"))
  await scrape(proxy)
  await scrape(proxy, { authorization: "Bearer wrong" })
  await proxy.requests(2)
  const metrics = await (await fetch(`${proxy.adminUrl}/metrics`)).text()
  const lines = metrics.split("\n").filter((line) => /^fedstack_proxy_(?:requests|response)/.test(line))
  assert.deepEqual(lines, [
    'fedstack_proxy_requests_in_flight{client="portal"} 0',
    'fedstack_proxy_requests_total{client="portal",code="200",reason="ok"} 1',
    'fedstack_proxy_requests_total{client="",code="401",reason="unauthenticated"} 1',
    'fedstack_proxy_response_bytes_total{client="portal"} 4',
    'fedstack_proxy_response_series_total{client="portal"} 1',
    'fedstack_proxy_responses_total{client="portal",source="upstream"} 1',
  ])
})
