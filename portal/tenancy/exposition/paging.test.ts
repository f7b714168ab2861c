import assert from "node:assert/strict"
import { test } from "node:test"
import type { ServerResponse } from "node:http"
import { request } from "undici"
import { until } from "../../../dev/testing/until.ts"
import {
  blockOf,
  type FakeSeries,
  headerOf,
  type ReceivedRequest,
  type Respond,
  startFakeStore,
  STALE,
} from "./store.testing.ts"
import { fileOf, startTestExposition, TOKEN } from "./testing.ts"

const NAME = "__name__"
/** A label that makes series as large as those of a large tenant, and shrinks to nothing. */
const PAD = "x".repeat(100_000)
/** Their names have all that means something in a regular expression, or in its selector. */
const NAMES = ["a.b", "a+b", "(c|d)", "[e]{2}", String.raw`f\g`, 'h"i', "^j$", "k*l?", "ä→", "m\nn", "zz"]

/** What a store has: by name, series and the size of each. */
type Stored = ReadonlyMap<string, { readonly series: number; readonly stale?: boolean }>
const storedOf = (names: readonly string[], series: number): Stored => new Map(names.map((name) => [name, { series }]))

/** Evaluates matchers of names as Cortex does, which has others than these. */
function namesOf({ queries }: Pick<ReceivedRequest, "queries">, stored: Stored, query = 0): readonly string[] {
  const matchers = (queries[query]?.matchers ?? []).filter(({ name }) => name === NAME)
  return [...stored.keys()].filter((name) =>
    matchers.every(({ type, value }) => {
      const matches = type < 2 ? name === value : new RegExp(`^(?:${value})$`, "su").test(name)
      return matches === (type % 2 === 0)
    }),
  )
}

function seriesOf(stored: Stored, names: readonly string[], of = ""): readonly FakeSeries[] {
  return names.flatMap((name) => {
    const { series = 0, stale = false } = stored.get(name) ?? {}
    return Array.from({ length: series }, (_, index): FakeSeries => {
      const labels = { [NAME]: name, i: String(index), ...(of !== "" && { of }), pad: PAD }
      return { labels, samples: [[Date.now(), stale ? STALE : index]] }
    })
  })
}

const namesFrom =
  (stored: () => Stored): Respond =>
  (_, response) =>
    void response.end(JSON.stringify({ status: "success", data: [...stored().keys()] }))

const readFrom =
  (stored: () => Stored): Respond =>
  (received, response) => {
    const of = headerOf(received, "x-scope-orgid").join()
    const results = received.queries.map((_, query) => seriesOf(stored(), namesOf(received, stored(), query), of))
    response.end(blockOf(...results))
  }

/** Each series of a response in text, without what makes it large. */
const shown = (body: string): readonly string[] =>
  [...body.matchAll(/i="(\d+)",of="(\w+)"[^\n]*\n/g)].map(([, index, of]) => `${of} ${index}`)
const linesOf = (body: string): readonly string[] =>
  body
    .replaceAll(/pad="x+"/g, 'pad=""')
    .split("\n")
    .filter((line) => line !== "")

test("a tenant that is too large for a page is read in whole families, each series once, in one order", async (t) => {
  const stored = storedOf(NAMES, 20) // 22 MB
  const store = await startFakeStore(
    t,
    readFrom(() => stored),
    { names: namesFrom(() => stored) },
  )
  const { get, metrics } = await startTestExposition(t, fileOf([store.url], "reuse: 0s\n"))
  const accept = { accept: "text/plain;version=1.0.0;escaping=allow-utf-8" }
  const first = await get("/metrics", accept)
  assert.equal(first.status, 200)
  const types = linesOf(first.body).filter((line) => line.startsWith("# TYPE"))
  assert.equal(types.length, NAMES.length)
  assert.equal(new Set(linesOf(first.body)).size, NAMES.length * 21)
  assert.equal(linesOf(first.body).length, NAMES.length * 21)
  const reads = store.reads().length
  assert.deepEqual((await get("/metrics", accept)).body, first.body)
  // the second time it is known that all do not fit a page
  const again = store.reads().slice(reads)
  assert.equal(again.length < reads, true)
  const read = again.map((one) => namesOf(one, stored))
  assert.deepEqual(read.flat().toSorted(), NAMES.toSorted())
  assert.deepEqual(await metrics("page_bytes"), ["fedstack_tenancy_exposition_page_bytes 0"])
})

test("the names of pages are added to what a client may read, in every selector", async (t) => {
  const stored = storedOf(["a1", "a2", "b1"], 60)
  const store = await startFakeStore(
    t,
    readFrom(() => stored),
    { names: namesFrom(() => stored) },
  )
  const { get } = await startTestExposition(t, fileOf([store.url], "reuse: 0s\n"))
  const path = "/federate?match[]=%7B__name__%3D~%22a.*%22%7D&match[]=%7B__name__%3D~%22.*1%22%7D"
  const { body } = await get(path)
  assert.equal(linesOf(body).length, 183)
  assert.equal(new Set(linesOf(body)).size, 183)
  for (const { queries } of store.reads().slice(1)) {
    assert.deepEqual(
      queries.map(({ matchers }) => matchers.filter(({ name }) => name === NAME).map(({ value }) => value)[0]),
      [".*1", "a.*"],
    )
  }
  const [names] = store.received.filter(({ url }) => url.includes("__name__/values"))
  assert.ok(names !== undefined)
  const query = new URL(names.url, "http://x").searchParams
  assert.deepEqual(query.getAll("match[]"), ['{__name__=~".*1"}', '{__name__=~"a.*"}'])
  assert.equal(Number(query.get("end")) - Number(query.get("start")), 60)
  assert.deepEqual(headerOf(names, "x-scope-orgid"), ["a"])
})

test("a family that is too large alone is told by its name", async (t) => {
  const stored = new Map([
    ["small", { series: 1 }],
    ["very_large", { series: 400 }], // 40 MB
  ])
  const store = await startFakeStore(
    t,
    readFrom(() => stored),
    { names: namesFrom(() => stored) },
  )
  const { get, metrics } = await startTestExposition(t, fileOf([store.url], "reuse: 0s\n"))
  await assert.rejects(get()) // small is there already
  const { status, body } = await get("/federate?match[]=very_large")
  assert.deepEqual(
    [status, body],
    [
      502,
      "The series of very_large alone are more than the 33554432 bytes that are read at once: request fewer of them by other labels.\n",
    ],
  )
  assert.deepEqual(await metrics("upstream_failures_total"), [])
})

test("several tenants that are too large together are read in pages of both", async (t) => {
  const stored = storedOf(["m", "n"], 45) // 4.5 MB each
  const store = await startFakeStore(
    t,
    readFrom(() => stored),
    { names: namesFrom(() => stored) },
  )
  const file = fileOf([store.url], "reuse: 0s\n").replace("tenants: [a]", "tenants: [a, b]")
  const { get } = await startTestExposition(t, file)
  const { body } = await get()
  assert.deepEqual(
    shown(body),
    ["m", "n"].flatMap(() => ["a", "b"].flatMap((of) => Array.from({ length: 45 }, (_, index) => `${of} ${index}`))),
  )
})

test("families that come, go and grow between the pages leave no series twice and none cut", async (t) => {
  let stored: Stored = storedOf(["a", "b", "c", "d"], 40)
  const store = await startFakeStore(
    t,
    (received, response, incoming) => {
      readFrom(() => stored)(received, response, incoming)
      stored = new Map([
        ["a", { series: 40 }],
        ["aa", { series: 40 }],
        ["b", { series: 0 }],
        ["c", { series: 90, stale: true }],
        ["d", { series: 130 }],
      ])
    },
    { names: (_, response) => void response.end('{"data":["a","b","c","d","gone"]}') },
  )
  const { get } = await startTestExposition(t, fileOf([store.url], "reuse: 0s\n"))
  const { status, body } = await get()
  const lines = linesOf(body)
  assert.equal(status, 200)
  assert.deepEqual(
    lines.filter((line) => line.startsWith("#")),
    ["# TYPE a untyped", "# TYPE d untyped"],
  )
  assert.deepEqual([lines.length, new Set(lines).size], [172, 172])
})

/** What the store does with the second page that it is to send. */
const CUTS: readonly (readonly [fault: string, respond: (response: ServerResponse) => void])[] = [
  ["503", (response) => void response.writeHead(503).end()],
  ["422", (response) => void response.writeHead(422).end("limit")],
  [
    "half a response",
    (response) => (
      response.writeHead(200, { "content-length": "100" }),
      void response.write("\u0001", () => response.destroy())
    ),
  ],
  ["a block that ends early", (response) => void response.end(blockOf([{ labels: { [NAME]: "m" } }]).subarray(0, -2))],
  ["silence", () => undefined],
]
const READERS = [
  {},
  { "accept-encoding": "gzip" },
  { accept: "application/openmetrics-text;version=1.0.0", "accept-encoding": "gzip" },
  { accept: "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited" },
]
for (const [fault, respond] of CUTS) {
  test(`a response whose second page is ${fault} never looks whole`, async (t) => {
    const stored = storedOf(["a", "b", "c"], 50)
    const store = await startFakeStore(
      t,
      (received, response, incoming) => {
        if (namesOf(received, stored).includes("a")) readFrom(() => stored)(received, response, incoming)
        else respond(response)
      },
      { names: namesFrom(() => stored) },
    )
    // silence alone waits for it, and the first page must be there before it is over
    const file = fileOf([store.url], `limits: {upstream_timeout: ${fault === "silence" ? 10 : 60}s}\n`)
    const { url, log } = await startTestExposition(t, file)
    const read = async (headers: (typeof READERS)[number]): Promise<void> => {
      const all = { authorization: `Bearer ${TOKEN}`, ...headers }
      const { statusCode, body } = await request(`${url}/metrics`, { headers: all })
      assert.equal(statusCode, 200)
      let bytes = 0
      await assert.rejects(async () => {
        for await (const chunk of body) bytes += (chunk as Buffer).length
      })
      assert.equal(bytes > 0, true)
    }
    await Promise.all(READERS.map(read))
    await until("the requests to be logged", () => log().match(/"msg":"request"/g)?.length === READERS.length)
  })
}

test("a client that leaves between two pages leaves no page behind, and others are served", async (t) => {
  const stored = storedOf(["a", "b", "c"], 50)
  let waiting: (() => void) | undefined
  let pages = 0
  const store = await startFakeStore(
    t,
    (received, response, incoming) => {
      const serve = (): void => readFrom(() => stored)(received, response, incoming)
      if (namesOf(received, stored).length < 3 && ++pages === 2) waiting = serve
      else serve()
    },
    { names: namesFrom(() => stored) },
  )
  const { url, get, metrics } = await startTestExposition(t, fileOf([store.url], "reuse: 0s\n"))
  const leaving = new AbortController()
  const headers = { authorization: `Bearer ${TOKEN}` }
  const { body } = await request(`${url}/metrics`, { headers, signal: leaving.signal })
  body.on("error", () => undefined).resume()
  await until("the second page to be requested", () => waiting)
  leaving.abort()
  assert.equal(linesOf((await get()).body).length, 153)
  assert.deepEqual(await metrics("page_bytes"), ["fedstack_tenancy_exposition_page_bytes 0"])
})
