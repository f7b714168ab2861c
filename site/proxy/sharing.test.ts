import assert from "node:assert/strict"
import { once } from "node:events"
import type { IncomingMessage, ServerResponse } from "node:http"
import { connect } from "node:net"
import { type TestContext, test } from "node:test"
import { gzipSync } from "node:zlib"
import { pino } from "pino"
import { request } from "undici"
import { temporaryFolder } from "../../dev/testing/folder.ts"
import { until } from "../../dev/testing/until.ts"
import { environmentPolicy } from "./policy/environment.ts"
import { policyFile } from "./policy/policy-file.ts"
import type { ClientLimits, Policy } from "./policy/types.ts"
import { BEARER, METRICS, QUERY, sendRaw, SHARED, startTestProxy, startUpstream, TOKEN } from "./testing.ts"

type Answer = (request: IncomingMessage, response: ServerResponse) => void

interface Changes {
  readonly policy?: Partial<Policy>
  readonly limits?: Partial<ClientLimits>
}

/** A proxy before these upstreams with one client, whose policy is changed so. */
async function startWith(t: TestContext, urls: readonly string[], { policy, limits }: Changes = {}) {
  const [first = "", ...others] = urls
  const environment = environmentPolicy({
    allow: [SHARED],
    token: TOKEN,
    tokenFile: undefined,
    upstream: new URL(first),
    upstreamTimeout: 5,
    responseBytes: 10_000_000,
  })
  return startTestProxy(t, first, {
    policy: {
      ...environment,
      async load() {
        const loaded = await environment.load()
        const upstreams = [loaded.policy.upstreams[0], ...others.map((url) => new URL(url))] as const
        const clients = loaded.policy.clients.map((client) => ({ ...client, limits: { ...client.limits, ...limits } }))
        const tokens = loaded.policy.tokens.map((token) => ({ ...token, client: clients[0] ?? token.client }))
        return { ...loaded, policy: { ...loaded.policy, upstreams: [...upstreams], clients, tokens, ...policy } }
      },
    },
  })
}

async function start(t: TestContext, answer: Answer, changes: Changes = {}) {
  const upstream = await startUpstream(t, answer)
  return { upstream, proxy: await startWith(t, [upstream.url], changes) }
}

const REUSE = { policy: { reuse: 60 } }
const ok = (response: ServerResponse, headers: Record<string, string> = {}): ServerResponse =>
  response.writeHead(200, { "content-type": METRICS, ...headers })
const sample: Answer = (_, response) => ok(response).end("a 1\n")

async function scrape(url: string, headers: Record<string, string> = {}, method: "GET" | "HEAD" = "GET") {
  const answer = await request(`${url}/federate?${QUERY}`, { method, headers: { ...BEARER, ...headers } })
  return { status: answer.statusCode, headers: answer.headers, body: await answer.body.text() }
}

test("asks Prometheus once for 50 portals that ask at the same time, without any reuse", async (t) => {
  let finish = (): void => undefined
  const { upstream, proxy } = await start(t, (_, response) => {
    ok(response).write("a 1\n")
    finish = () => response.end("b 1\n")
  })
  const answers = Array.from({ length: 50 }, () => scrape(proxy.url))
  await until("50 requests under way", async () => {
    const metrics = await (await fetch(`${proxy.adminUrl}/metrics`)).text()
    return /in_flight\{client="portal"\} 50/.exec(metrics) ?? undefined
  })
  finish()
  assert.deepEqual(new Set((await Promise.all(answers)).map(({ body }) => body)), new Set(["a 1\nb 1\n"]))
  assert.equal(upstream.received.length, 1)
  const sources = (await proxy.requests(50)).map(({ source }) => source)
  assert.deepEqual([sources.filter((one) => one === "upstream").length, new Set(sources).size], [1, 2])
})

test("begins to answer before Prometheus has ended", async (t) => {
  const { proxy } = await start(t, (_, response) => ok(response).write("a 1\n"))
  const client = connect(proxy.port, "127.0.0.1")
  t.after(() => client.destroy())
  client.write(`GET /federate?${QUERY} HTTP/1.1\r\nHost: x\r\nAuthorization: ${BEARER.authorization}\r\n\r\n`)
  const [bytes] = (await once(client, "data")) as [Buffer]
  assert.match(bytes.toString(), /^HTTP\/1\.1 200 OK\r\n[^]*a 1\n\r\n$/)
})

test("answers again from the same entry in any spelling, and says so in its log", async (t) => {
  const { upstream, proxy } = await start(t, sample, REUSE)
  await scrape(proxy.url)
  const spelled = `match[]=${encodeURIComponent('{job="project_usages", __name__=~"project_.*_usage"}')}`
  const answer = await request(`${proxy.url}/federate?${spelled}`, { headers: BEARER })
  assert.deepEqual([answer.statusCode, await answer.body.text()], [200, "a 1\n"])
  assert.equal(answer.headers["content-length"], "4")
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
  ["of an Accept that means the same", { accept: "text/plain;q=1" }, { accept: "text/plain; q=1" }],
  ["with and without Accept", {}, { accept: "*/*" }],
  ["with and without gzip", {}, { "accept-encoding": "gzip" }],
  ["with gzip and a weighed gzip", { "accept-encoding": "gzip" }, { "accept-encoding": "gzip;q=1.0" }],
]
for (const [title, one, other] of DIFFERENT) {
  test(`shares nothing between requests ${title}`, async (t) => {
    const echo: Answer = ({ headers }, response) => {
      const gzip = headers["accept-encoding"] === "gzip"
      const body = `# ${headers.accept} ${headers["accept-encoding"]}\n`
      ok(response, gzip ? { "content-encoding": "gzip" } : {}).end(gzip ? gzipSync(body) : body)
    }
    const { upstream, proxy } = await start(t, echo, REUSE)
    const first = await scrape(proxy.url, one)
    const second = await scrape(proxy.url, other)
    assert.notEqual(first.body, second.body)
    assert.equal((await scrape(proxy.url, one)).body, first.body)
    assert.equal(upstream.received.length, 2)
  })
}

for (const [name, value] of [
  ["range", "bytes=0-1"],
  ["if-none-match", "*"],
  ["if-modified-since", "Fri, 01 Jan 2100 00:00:00 GMT"],
  ["cache-control", "no-cache"],
] as const) {
  test(`takes no notice of ${name}`, async (t) => {
    const { upstream, proxy } = await start(t, sample, REUSE)
    for (let round = 0; round < 2; round++) {
      const { status, body } = await scrape(proxy.url, { [name]: value })
      assert.deepEqual([status, body], [200, "a 1\n"])
    }
    assert.equal(upstream.received.length, 1)
    assert.equal(upstream.received[0]?.rawHeaders.includes(name), false)
  })
}

test("answers HEAD from the entry of GET, without its body", async (t) => {
  const { upstream, proxy } = await start(t, sample, REUSE)
  await scrape(proxy.url)
  const { status, headers, body } = await scrape(proxy.url, {}, "HEAD")
  assert.deepEqual([status, headers["content-length"], headers["content-type"], body], [200, "4", METRICS, ""])
  assert.equal(upstream.received.length, 1)
})

test("keeps no answer that failed", async (t) => {
  let good = false
  const { proxy } = await start(t, (r, response) => (good ? sample(r, response) : response.writeHead(500).end()), REUSE)
  assert.equal((await scrape(proxy.url)).status, 502)
  good = true
  assert.equal((await scrape(proxy.url)).status, 200)
})

test("cuts off a slow reader at its own time, while others get the same answer", async (t) => {
  const size = 9_000_000
  const { proxy } = await start(t, (_, response) => ok(response).end(`${"x".repeat(size - 1)}\n`), REUSE)
  const slow = connect(proxy.port, "127.0.0.1").pause()
  t.after(() => slow.destroy())
  slow.write(
    `GET /federate?${QUERY} HTTP/1.1\r\nHost: x\r\nAuthorization: ${BEARER.authorization}\r\n` +
      `X-Prometheus-Scrape-Timeout-Seconds: 0.5\r\n\r\n`,
  )
  assert.equal((await scrape(proxy.url)).body.length, size)
  const lines = await proxy.requests(2)
  assert.deepEqual(
    lines.map(({ reason }) => reason),
    ["ok", "client_slow"],
  )
})

test("lets a scraper of little patience leave without harm to the others", async (t) => {
  let finish = (): void => undefined
  const { upstream, proxy } = await start(t, (_, response) => (finish = () => ok(response).end("a 1\n")))
  const patient = scrape(proxy.url)
  await until("the request upstream", () => upstream.received[0])
  assert.equal((await scrape(proxy.url, { "x-prometheus-scrape-timeout-seconds": "0.2" })).status, 504)
  finish()
  assert.equal((await patient).body, "a 1\n")
  assert.equal(upstream.received.length, 1)
})

const BROKEN: readonly (readonly [title: string, answer: Answer])[] = [
  ["a bomb", (_, r) => ok(r, { "content-encoding": "gzip" }).end(gzipSync(Buffer.alloc(50_000_000, "#")))],
  [
    "a compressed body cut short",
    (_, r) => ok(r, { "content-encoding": "gzip" }).end(gzipSync("a 1\n").subarray(0, -5)),
  ],
  ["a body that a short Content-Length cuts", (_, r) => ok(r, { "content-length": "3" }).end("a 1")],
  ["a body that ends within a line", (_, r) => ok(r).end("a 1\nb")],
]
for (const [title, answer] of BROKEN) {
  test(`ends no connection well after ${title}`, async (t) => {
    const { proxy } = await start(t, answer, REUSE)
    await assert.rejects(scrape(proxy.url, { "accept-encoding": "gzip" }))
    const [line] = await proxy.requests(1)
    assert.equal(line?.reason, "answer_broken")
  })
}

/** A proxy whose upstream has sent one series to it, for whoever asked so, and goes on as it is told. */
async function startHalting(t: TestContext, version: string) {
  const begun = Promise.withResolvers<ServerResponse>()
  const { proxy } = await start(t, (_, response) => {
    ok(response).write("a 1\n")
    begun.resolve(response)
  })
  const head = ["Host: x", `Authorization: ${BEARER.authorization}`, "Connection: close"].join("\r\n")
  const received = sendRaw(proxy.port, `GET /federate?${QUERY} ${version}\r\n${head}\r\n\r\n`)
  const upstream = await begun.promise
  await until("the series to be there", async () => {
    const metrics = await (await fetch(`${proxy.adminUrl}/metrics`)).text()
    return metrics.includes("fedstack_proxy_store_bytes 4\n") ? true : undefined
  })
  return { upstream, received: received.then((text) => text.split("\r\n\r\n")) }
}

test("an answer that breaks lacks its last chunk, on a connection that would close anyway", async (t) => {
  const { upstream, received } = await startHalting(t, "HTTP/1.1")
  upstream.destroy()
  const [head = "", ...body] = await received
  assert.match(head, /^HTTP\/1\.1 200 OK\r\n[^]*\r\nTransfer-Encoding: chunked/)
  assert.deepEqual(body, ["4\r\na 1\n\r\n"])
})

for (const version of ["HTTP/1.0", "HTTP/0.9", "HTTP/2.0"]) {
  for (const [end, status, body] of [
    ["destroy", "502 Bad Gateway", "The site's Prometheus broke off its answer.\n"],
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

test("clients with other limits share one request upstream, and each meets its own limit alone", async (t) => {
  const parts = Promise.withResolvers<ServerResponse>()
  const upstream = await startUpstream(t, (_, response) => {
    ok(response).write("a 1\n")
    parts.resolve(response)
  })
  const limits = { generous: {}, few: { series: 2 }, small: { response_bytes: 1024 }, hasty: { upstream_timeout: 0.5 } }
  const clients = Object.keys(limits) as (keyof typeof limits)[]
  const tokens = clients.map((name) => ({ name, env: name, match: [SHARED], limits: limits[name] }))
  const file = await temporaryFolder(t).write(
    "policy.yaml",
    JSON.stringify({ upstreams: [upstream.url], reuse: 0, tokens }),
  )
  const env = Object.fromEntries(clients.map((name) => [name, `${name}-${TOKEN}`]))
  const log = pino({ enabled: false })
  const proxy = await startTestProxy(t, upstream.url, { policy: policyFile(file, { env, now: () => new Date(), log }) })
  const ended = Promise.allSettled(
    clients.map((name) => scrape(proxy.url, { authorization: `Bearer ${env[name]}` }).then(({ body }) => body)),
  )
  await until("all to wait for it", async () => {
    const metrics = await (await fetch(`${proxy.adminUrl}/metrics`)).text()
    return metrics.match(/^fedstack_proxy_requests_in_flight\{client="[a-z]+"\} /gm)?.length === 4 ? true : undefined
  })
  const response = await parts.promise
  const [hasty] = await proxy.requests(1)
  response.write("b 1\nc 1\n")
  const [, few] = await proxy.requests(2)
  response.write(`# ${"x".repeat(1100)}\n`)
  const [, , small] = await proxy.requests(3)
  response.end()
  const [, , , generous] = await proxy.requests(4)
  assert.deepEqual(
    [hasty, few, small, generous].map((line) => [line?.client, line?.reason]),
    [
      ["hasty", "upstream_timeout"],
      ["few", "too_many_series"],
      ["small", "answer_too_large"],
      ["generous", "ok"],
    ],
  )
  assert.deepEqual(
    (await ended).map((one) => (one.status === "fulfilled" ? one.value.length : "broken")),
    [1115, "broken", "broken", "broken"],
  )
  assert.equal(upstream.received.length, 1)
})

test("breaks off an answer of too many series", async (t) => {
  const body = "a 1\n".repeat(3)
  const { proxy } = await start(t, (_, response) => ok(response).end(body), { limits: { series: 2 } })
  await assert.rejects(async () => assert.equal((await scrape(proxy.url)).status, 200))
  const [line] = await proxy.requests(1)
  assert.equal(line?.reason, "too_many_series")
})

test("asks the next Prometheus where one is down or not ready, and tries that one last for a while", async (t) => {
  const starting = await startUpstream(t, (_, response) => response.writeHead(503).end())
  const up = await startUpstream(t, sample)
  const proxy = await startWith(t, ["http://127.0.0.1:1", starting.url, up.url])
  for (let round = 0; round < 3; round++) assert.equal((await scrape(proxy.url)).status, 200)
  assert.deepEqual([starting.received.length, up.received.length], [1, 3])
  const metrics = await (await fetch(`${proxy.adminUrl}/metrics`)).text()
  assert.deepEqual(metrics.match(/^fedstack_proxy_upstream_up\{.*$/gm), [
    'fedstack_proxy_upstream_up{upstream="http://127.0.0.1:1"} 0',
    `fedstack_proxy_upstream_up{upstream="${starting.url}"} 0`,
    `fedstack_proxy_upstream_up{upstream="${up.url}"} 1`,
  ])
})

test("tells that all are down, each time after it tried all", async (t) => {
  const proxy = await startWith(t, ["http://127.0.0.1:1", "http://prometheus.invalid:9090"])
  for (let round = 0; round < 2; round++) {
    const { status, body } = await scrape(proxy.url)
    assert.deepEqual([status, body], [502, "The site's Prometheus can't be reached.\n"])
  }
})

test("asks the path of the policy upstream", async (t) => {
  const { upstream, proxy } = await start(t, sample, { policy: { path: "/select/0/prometheus/federate" } })
  assert.equal((await scrape(proxy.url)).status, 200)
  assert.match(upstream.received[0]?.url ?? "", /^\/select\/0\/prometheus\/federate\?match/)
})

test("passes protobuf on, byte for byte", async (t) => {
  const type = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
  const body = Buffer.from("0c0a027570180322040a020a0022", "hex").subarray(0, 13)
  const { proxy } = await start(t, (_, r) => r.writeHead(200, { "content-type": type }).end(body))
  const answer = await request(`${proxy.url}/federate?${QUERY}`, { headers: BEARER })
  assert.equal(answer.headers["content-type"], type)
  assert.deepEqual(Buffer.from(await answer.body.arrayBuffer()), body)
})

test("bounds what a client has under way at once, and tells when to come again", async (t) => {
  let finish = (): void => undefined
  const { upstream, proxy } = await start(t, (_, r) => (finish = () => ok(r).end("a 1\n")), {
    limits: { concurrent: 1 },
  })
  const first = scrape(proxy.url)
  await until("the request upstream", () => upstream.received[0])
  const { status, headers, body } = await scrape(proxy.url)
  assert.deepEqual(
    [status, headers["retry-after"], body],
    [429, "1", "portal may have 1 requests under way at once; ask again when one is done.\n"],
  )
  finish()
  assert.equal((await first).status, 200)
})

test("bounds a client's rate", async (t) => {
  const { proxy } = await start(t, sample, { limits: { requestsPerSecond: 0.1 } })
  assert.equal((await scrape(proxy.url)).status, 200)
  const { status, headers } = await scrape(proxy.url)
  assert.deepEqual([status, headers["retry-after"]], [429, "10"])
})

test("answers who guesses tokens with 429, and never the rightful client of the same address", async (t) => {
  const { proxy } = await start(t, sample)
  const guesses = await Promise.all(
    Array.from({ length: 60 }, (_, index) => scrape(proxy.url, { authorization: `Bearer wrong-${index}` })),
  )
  const throttled = guesses.filter(({ status }) => status === 429)
  assert.ok(throttled.length >= 30, `${throttled.length} throttled`)
  assert.ok(guesses.every(({ status }) => status === 401 || status === 429))
  assert.equal(throttled[0]?.headers["retry-after"], "1")
  assert.equal((await scrape(proxy.url)).status, 200)
})
