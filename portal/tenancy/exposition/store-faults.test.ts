import assert from "node:assert/strict"
import { once } from "node:events"
import { createServer as createTcpServer, type AddressInfo } from "node:net"
import type { ServerResponse } from "node:http"
import { type TestContext, test } from "node:test"
import { compressSync } from "snappy"
import { until } from "../../../dev/testing/until.ts"
import { blockOf, type FakeSeries, type Respond, seriesOfAll, startFakeStore } from "./store.testing.ts"
import { fileOf, startTestExposition } from "./testing.ts"

const UP: FakeSeries = { labels: { __name__: "up" }, samples: [[Date.now(), 1]] }
const BLOCK = blockOf([{ ...UP, samples: [[Date.now() + 3_600_000, 1]] }])
const TEXT = '# TYPE up untyped\nup{instance=""} 1\n'

const status =
  (code: number, text = "", headers: Readonly<Record<string, string>> = {}): Respond =>
  (_, response) =>
    void response.writeHead(code, headers).end(text)
const body =
  (bytes: Buffer | string, headers: Readonly<Record<string, string>> = {}): Respond =>
  (_, response) =>
    void response.writeHead(200, headers).end(bytes)
const BAD = "The store of the metrics sent a response that cannot be used: "
const BROKEN = "The store of the metrics broke off its response."
const refused = (code: number, said: string): string =>
  `The store of the metrics refuses this request of tenant a (status ${code}): ${said}. Request less at once, or have the tenant's limits raised.`
const limited = (said: string): string =>
  `The store of the metrics limits tenant a (status 429): ${said}. Request less often, or have the tenant's limits raised.`

/** A snappy block that declares a gigabyte. */
const BOMB = Buffer.concat([Buffer.from([0x80, 0x80, 0x80, 0x80, 0x04]), Buffer.alloc(1000, 0xfe)])
/** Declares 16 MiB and has too few bytes for them. */
const SHORT_BOMB = Buffer.concat([Buffer.from([0x80, 0x80, 0x80, 0x08]), Buffer.alloc(1000)])

/** What the store does with a read of series, and what the client gets of it. */
const FAULTS: readonly (readonly [fault: string, respond: Respond, status: number, text: string, reason: string])[] = [
  ["503", status(503, "empty ring"), 503, "The store of the metrics is starting or stopping.", "upstream_not_ready"],
  ["401", status(401, "no org id"), 502, `${BAD}its status is 401.`, "upstream_bad_response"],
  ["403", status(403, "secret-of-proxy"), 502, `${BAD}its status is 403.`, "upstream_bad_response"],
  ["500", status(500, "panic at 10.0.0.7"), 502, `${BAD}its status is 500.`, "upstream_bad_response"],
  ["404", status(404, "404 page not found"), 502, `${BAD}its status is 404.`, "upstream_bad_response"],
  [
    "a redirect",
    status(302, "", { location: "http://10.0.0.7/" }),
    502,
    `${BAD}its status is 302.`,
    "upstream_bad_response",
  ],
  ["204", status(204), 502, `${BAD}its status is 204.`, "upstream_bad_response"],
  [
    "400 in Cortex' words about a limit",
    status(400, "the query hit the max number of series limit (limit: 10 series)\n"),
    422,
    refused(400, "the query hit the max number of series limit (limit: 10 series)"),
    "query_rejected",
  ],
  [
    "400 for a failure within Cortex, with an address",
    status(400, "rpc error: code = Unavailable desc = dial tcp 10.0.0.7:9095: connect: connection refused\n"),
    502,
    `${BAD}its status is 400.`,
    "upstream_bad_response",
  ],
  [
    "422 in Mimir's words, as JSON",
    status(
      422,
      '{"status":"error","errorType":"execution","error":"the query exceeded the maximum number of series (limit: 10 series) (err-mimir-max-series-per-query)"}',
    ),
    422,
    refused(422, "the query exceeded the maximum number of series (limit: 10 series) (err-mimir-max-series-per-query)"),
    "query_rejected",
  ],
  ...["query-blocked", "request-blocked"].map((id): (typeof FAULTS)[number] => [
    `400 in Mimir's words: ${id}`,
    status(
      400,
      `{"status":"error","errorType":"bad_data","error":"the request has been blocked by the cluster administrator (err-mimir-${id})"}`,
    ),
    422,
    refused(400, `the request has been blocked by the cluster administrator (err-mimir-${id})`),
    "query_rejected",
  ]),
  ["429 without words", status(429), 429, limited("too many requests"), "upstream_limited"],
  [
    "429",
    status(429, "too many outstanding requests"),
    429,
    limited("too many outstanding requests"),
    "upstream_limited",
  ],
  [
    "words with control characters and line ends",
    status(422, "limit\r\nX-Evil: 1\u0000\u202e\u001b[31m"),
    422,
    refused(422, "limit X-Evil: 1 [31m"),
    "query_rejected",
  ],
  [
    "half a response of a length",
    (_, response) => cut(response, { "content-length": String(BLOCK.length) }),
    502,
    BROKEN,
    "response_broken",
  ],
  ["half a response in chunks", (_, response) => cut(response), 502, BROKEN, "response_broken"],
  [
    "a reset in the middle",
    (_, response, { socket }) => void response.write(BLOCK.subarray(0, 9), () => socket.resetAndDestroy()),
    502,
    BROKEN,
    "response_broken",
  ],
  [
    "a connection that ends",
    (_, __, { socket }) => void socket.destroy(),
    502,
    "The store of the metrics cannot be reached.",
    "upstream_unreachable",
  ],
  [
    "a block that ends early",
    body(BLOCK.subarray(0, -3)),
    502,
    `${BAD}its series are no snappy block.`,
    "upstream_bad_response",
  ],
  ["no body", body(""), 502, `${BAD}/api/v1/read is no snappy block.`, "upstream_bad_response"],
  [
    "a message that ends early",
    body(compressSync(Buffer.from([0x0a, 0x05, 0x0a]))),
    502,
    `${BAD}its series are malformed.`,
    "upstream_bad_response",
  ],
  [
    "another message",
    body(compressSync(Buffer.from("no protobuf at all"))),
    502,
    `${BAD}its series are malformed.`,
    "upstream_bad_response",
  ],
  [
    "a sample of another type",
    // a string for its value
    body(compressSync(seriesWith(0x12, [0x0a, 0x01, 0x41, 0x10, 0x01]))),
    502,
    `${BAD}its series are malformed.`,
    "upstream_bad_response",
  ],
  [
    "a page in HTML",
    body("<!doctype html><title>Sign in</title>", { "content-type": "text/html" }),
    502,
    `${BAD}its series are no snappy block.`,
    "upstream_bad_response",
  ],
  [
    "a bomb that does not declare its size",
    body(SHORT_BOMB),
    502,
    `${BAD}/api/v1/read is no snappy block.`,
    "upstream_bad_response",
  ],
]
for (const [fault, respond, code, text, reason] of FAULTS) {
  test(`responds ${code} where the store has ${fault}`, async (t) => {
    const store = await startFakeStore(t, respond)
    const { get, metrics, log } = await startTestExposition(t, fileOf([store.url]))
    for (const headers of [{}, { "accept-encoding": "gzip", accept: "application/openmetrics-text" }]) {
      const response = await get("/metrics", headers)
      assert.deepEqual([response.status, response.body], [code, `${text}\n`])
    }
    // what a client causes by what it requests is no failure of the store
    const isFailure = code !== 422 && code !== 429
    assert.deepEqual(
      await metrics("upstream_failures_total"),
      isFailure ? [`fedstack_tenancy_exposition_upstream_failures_total{reason="${reason}"} 2`] : [],
    )
    const isUp = code === 422 || code === 429 || /snappy|malformed/.test(text) ? 1 : 0
    assert.deepEqual(await metrics("upstream_up"), [
      `fedstack_tenancy_exposition_upstream_up{upstream="${store.url}"} ${isUp}`,
    ])
    assert.ok(log().includes(reason))
  })
}

function cut(response: ServerResponse, headers: Readonly<Record<string, string>> = {}): void {
  response.writeHead(200, headers)
  response.write(BLOCK.subarray(0, 9), () => response.destroy())
}

/** A message with one series, which has this sample or histogram by the tag of its field. */
function seriesWith(tag: number, sample: readonly number[]): Buffer {
  const label = Buffer.from("\n\u0008__name__\u0012\u0001m", "latin1")
  const series = Buffer.concat([Buffer.from([0x0a, label.length]), label, Buffer.from([tag, sample.length, ...sample])])
  const result = Buffer.concat([Buffer.from([0x0a, series.length]), series])
  return Buffer.concat([Buffer.from([0x0a, result.length]), result])
}

for (const coding of ["identity", "gzip"]) {
  test(`responds 502 where a histogram turns out to be malformed while it is written, as ${coding}`, async (t) => {
    // buckets of its own, and a span that ends within its first number
    const store = await startFakeStore(t, body(compressSync(seriesWith(0x22, [0x20, 105, 0x5a, 0x01, 0xff]))))
    const { get, metrics } = await startTestExposition(t, fileOf([store.url]))
    const accept = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
    const response = await get("/metrics", { accept, "accept-encoding": coding })
    assert.deepEqual([response.status, response.body], [502, `${BAD}its series are malformed.\n`])
    assert.deepEqual(await metrics("upstream_failures_total"), [
      'fedstack_tenancy_exposition_upstream_failures_total{reason="upstream_bad_response"} 1',
    ])
  })
}

test("a bomb that declares a gigabyte is not unpacked, and told by its family", async (t) => {
  const store = await startFakeStore(t, body(BOMB), {
    names: (_, response) => void response.end('{"status":"success","data":["up"]}'),
  })
  const { get } = await startTestExposition(t, fileOf([store.url]))
  const { status: code, body: text } = await get()
  assert.deepEqual(
    [code, text],
    [
      502,
      "The series of up alone are more than the 33554432 bytes that are read at once: request fewer of them by other labels.\n",
    ],
  )
})

test("what is no HTTP is reported so", async (t) => {
  const server = createTcpServer((socket) => void socket.end("SSH-2.0-OpenSSH\r\n")).listen(0, "127.0.0.1")
  await once(server, "listening")
  t.after(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const { get } = await startTestExposition(t, fileOf([url]))
  const { status: code, body: text } = await get()
  assert.equal(code, 502)
  assert.match(text, /^The store of the metrics sent a response that cannot be used: the response is not HTTP/)
})

const good = seriesOfAll(() => [UP])
for (const [fault, respond] of [
  ["starts", status(503)],
  ["is behind a gateway without it", status(502)],
  ["refuses the credentials", status(401)],
  ["resets connections", (_, __, { socket }) => void socket.resetAndDestroy()],
  ["breaks off", (_, response) => cut(response)],
] satisfies readonly (readonly [string, Respond])[]) {
  test(`requests the next store where one ${fault}, and that first from then on`, async (t) => {
    const [bad, next] = await Promise.all([startFakeStore(t, respond, { metadata: respond }), startFakeStore(t, good)])
    const { get, metrics } = await startTestExposition(t, fileOf([bad.url, next.url]))
    for (let i = 0; i < 3; i++) {
      const response = await get()
      assert.deepEqual([response.status, response.body], [200, TEXT])
    }
    assert.equal(bad.received.length <= 2, true) // metadata and series of the first request
    assert.deepEqual(await metrics("upstream_up"), [
      `fedstack_tenancy_exposition_upstream_up{upstream="${bad.url}"} 0`,
      `fedstack_tenancy_exposition_upstream_up{upstream="${next.url}"} 1`,
    ])
    assert.deepEqual(await metrics("upstream_failures_total"), [])
  })
}

test("does not request the next store what is too much for a tenant's limits", async (t) => {
  const refuse = status(422, "limit")
  const [first, next] = await Promise.all([startFakeStore(t, refuse), startFakeStore(t, good)])
  const { get } = await startTestExposition(t, fileOf([first.url, next.url]))
  assert.equal((await get()).status, 422)
  assert.equal(next.received.length, 0)
})

test("identifies itself to each store by the credentials of its entry, and by none of another's", async (t) => {
  const [one, two] = await Promise.all([startFakeStore(t, status(401)), startFakeStore(t, good)])
  const file = fileOf([]).replace(
    "upstreams: []",
    `upstreams:\n  - {url: "${one.url}", token: {env: OTHER_TOKEN}}\n  - {url: "${two.url}", basic_auth: {username: u, password_env: OTHER_TOKEN}}`,
  )
  const { get, log } = await startTestExposition(t, file)
  assert.equal((await get()).status, 200)
  const sent = (store: typeof one) =>
    new Set(
      store.received.map(
        ({ rawHeaders }) => rawHeaders[rawHeaders.findIndex((name) => /^authorization$/i.test(name)) + 1],
      ),
    )
  assert.deepEqual(
    [sent(one), sent(two)],
    [
      new Set(["Bearer other-rightful-token-51c7"]),
      new Set([`Basic ${Buffer.from("u:other-rightful-token-51c7").toString("base64")}`]),
    ],
  )
  assert.doesNotMatch(log(), /rightful/)
})

/** Drips a byte now and then, or nothing, until the test is over. */
const hang =
  (t: TestContext, drip: boolean): Respond =>
  (_, response) => {
    response.writeHead(200)
    const timer = setInterval(() => drip && response.write("\u0001"), 20)
    t.after(() => clearInterval(timer))
  }
for (const drip of [false, true]) {
  test(`a store that ${drip ? "drips" : "hangs"} is given up in time, and is known to be down`, async (t) => {
    const store = await startFakeStore(t, hang(t, drip))
    const file = fileOf([store.url], "limits: {upstream_timeout: 1s}\n")
    const { get, metrics } = await startTestExposition(t, file)
    const { status: code, body: text } = await get()
    assert.deepEqual([code, text], [504, "The store of the metrics sent no whole response within 1 s.\n"])
    await until("the store to be down", async () => (await metrics("upstream_up"))[0]?.endsWith(" 0"))
    await until("the failure to be counted", async () => (await metrics("upstream_failures_total")).length > 0)
  })
}

test("a store that hangs for longer than scrapers wait is passed by, counted and logged, however long it may take", async (t) => {
  let skipped = 0
  const hanging = await startFakeStore(t, () => (skipped += 3000))
  const works = await startFakeStore(t, good)
  const file = fileOf([hanging.url, works.url], "limits: {upstream_timeout: 5m}\n")
  const clock = { milliseconds: () => performance.now() + skipped }
  const { get, metrics, log } = await startTestExposition(t, file, clock)
  const scrape = () => get("/metrics", { "x-prometheus-scrape-timeout-seconds": "0.5" })
  const first = await scrape()
  assert.deepEqual(
    [first.status, first.body],
    [504, "The store of the metrics sent no whole response within 0.475 s.\n"],
  )
  await until("the failure to be counted", async () => (await metrics("upstream_failures_total")).length > 0)
  assert.deepEqual(await metrics("upstream_failures_total"), [
    'fedstack_tenancy_exposition_upstream_failures_total{reason="upstream_timeout"} 1',
  ])
  assert.match(
    log(),
    /"code":"upstream_timeout","tenants":"a","cause":"The store of the metrics sent no whole response within/,
  )
  assert.equal((await scrape()).status, 200)
})

test("a scraper that leaves soon is no failure of the store", async (t) => {
  const store = await startFakeStore(t, () => undefined)
  const { get, metrics } = await startTestExposition(t, fileOf([store.url]))
  assert.equal((await get("/metrics", { "x-prometheus-scrape-timeout-seconds": "0.2" })).status, 504)
  assert.deepEqual([await metrics("upstream_failures_total"), await metrics("upstream_up")], [[], []])
})

test("what is too slow while the store responds to others is reported so", async (t) => {
  const store = await startFakeStore(t, (received, response, request) => {
    const isSlow = received.queries.some(({ matchers }) => matchers.some(({ value }) => value === "slow"))
    if (!isSlow) good(received, response, request)
  })
  const { get } = await startTestExposition(t, fileOf([store.url], "limits: {upstream_timeout: 1s}\n"))
  const slow = get("/federate?match[]=slow")
  await until("the slow request to be there", () => store.reads().length > 0)
  assert.equal((await get()).status, 200)
  const { status: code, body: text } = await slow
  assert.deepEqual(
    [code, text],
    [
      504,
      "The store of the metrics sent no whole response within 1 s, while it responds to others: request less at once, or allow more time.\n",
    ],
  )
})
