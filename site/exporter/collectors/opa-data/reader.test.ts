import assert from "node:assert/strict"
import { test, type TestContext } from "node:test"
import { gzipSync } from "node:zlib"
import { until } from "../../../../dev/testing/until.ts"
import type { ReadFailure } from "./failure.ts"
import { countedPaths } from "./paths.ts"
import type { Way } from "./reading.ts"
import { type FakeOpa, fakeOpa, queryAnswer, targetOf, testReader } from "./testing.ts"

const paths = countedPaths(
  [{ name: "k/namespaces", segments: ["k", "namespaces"] }],
  [{ name: "k/services", segments: ["k", "services"] }],
)
const NEVER = new AbortController().signal
const clock = { now: new Date(0) }

const readerOf = (t: TestContext, ways?: readonly Way[]) =>
  testReader(t, { paths, now: () => clock.now, timeout: 0.5, documentLimit: 1000, ...(ways && { ways }) })

const asked = ({ requests }: FakeOpa): readonly string[] => requests.map(({ method, url }) => `${method} ${url}`)
const GOOD = queryAnswer([{ keys: 3 }, { keys: 2, members: 7 }])
const PLACES = [
  { kind: "counted", keys: 3, members: undefined, digest: undefined },
  { kind: "counted", keys: 2, members: 7, digest: undefined },
]
const [QUERY, PACKAGE] = ["POST /v1/query?metrics=true", "GET /v1/data/fedstack/opa_data/counts?metrics=true"]
const DOCUMENTS = ["GET /v1/data/k/namespaces", "GET /v1/data/k/services"]

test("one request tells all counts", async (t) => {
  const opa = await fakeOpa(t, () => GOOD)
  const reading = await (await readerOf(t)).read(targetOf(opa.port), undefined, NEVER)
  assert.deepEqual(reading, { places: PLACES, way: "query", opaSeconds: 0.002, digests: false })
  assert.deepEqual(asked(opa), [QUERY])
})

test("where queries are refused, the package is asked, and from then on at once", async (t) => {
  const opa = await fakeOpa(t, ({ method }) =>
    method === "POST"
      ? { status: 401, body: '{"code":"unauthorized"}' }
      : {
          body: JSON.stringify({
            result: { "k/namespaces": [["object", [3], [], []]], "k/services": [["object", [2], [7], []]] },
          }),
        },
  )
  const reader = await readerOf(t)
  for (const round of [1, 2]) {
    const { places, way } = await reader.read(targetOf(opa.port), undefined, NEVER)
    assert.deepEqual([round, places, way], [round, PLACES, "package"])
  }
  assert.deepEqual(asked(opa), [QUERY, PACKAGE, PACKAGE])
})

test("a package that has no rule of digests still tells the counts", async (t) => {
  const result = { "k/namespaces": [["object", [3], [], []]], "k/services": [["object", [2], [7], []]] }
  const opa = await fakeOpa(t, ({ url }) =>
    url.includes("/counts?") ? { body: JSON.stringify({ result }) } : { status: 401 },
  )
  const reading = await (await readerOf(t)).read(targetOf(opa.port), "resourceVersion", NEVER)
  assert.deepEqual(reading, { places: PLACES, way: "package", opaSeconds: undefined, digests: false })
})

const documents: FakeOpa["answer"] = ({ method, url }) => {
  if (method === "POST") return { status: 403 }
  if (url.includes("fedstack")) return { body: "{}" }
  const result = url.endsWith("services")
    ? { a: { x: 1, y: 2, z: 3 }, b: { p: 0, q: 0, r: 0, s: 0 } }
    : { a: 1, b: 2, c: 3 }
  return { headers: { "content-encoding": "gzip" }, body: gzipSync(JSON.stringify({ result })) }
}

test("where there is no package either, documents are read, compressed", async (t) => {
  const opa = await fakeOpa(t, documents)
  const reading = await (await readerOf(t)).read(targetOf(opa.port), "resourceVersion", NEVER)
  assert.deepEqual(reading, { places: PLACES, way: "documents", opaSeconds: undefined, digests: false })
  const digests = "GET /v1/data/fedstack/opa_data/counts_and_versions?metrics=true"
  assert.deepEqual(asked(opa), [QUERY, digests, PACKAGE, ...DOCUMENTS])
  assert.equal(opa.requests[3]?.headers["accept-encoding"], "gzip")
})

test("a better way is tried again after ten minutes, and at once on another address", async (t) => {
  const opa = await fakeOpa(t, documents)
  const reader = await readerOf(t)
  const read = async (address = "127.0.0.1"): Promise<readonly string[]> => {
    opa.requests.length = 0
    await reader.read(targetOf(opa.port, { address }), undefined, NEVER)
    return asked(opa)
  }
  clock.now = new Date(0)
  await read()
  clock.now = new Date(599_000)
  assert.deepEqual(await read(), DOCUMENTS)
  clock.now = new Date(600_000)
  assert.deepEqual(await read(), [QUERY, PACKAGE, ...DOCUMENTS])
  assert.deepEqual(await read(), DOCUMENTS)
  assert.deepEqual(await read("localhost"), [QUERY, PACKAGE, ...DOCUMENTS])
})

test("a better way is tried again at once with another token or certificate", async (t) => {
  const opa = await fakeOpa(t, documents)
  let identity = 1
  const reader = await testReader(t, { paths, identity: () => identity })
  await reader.read(targetOf(opa.port), undefined, NEVER)
  opa.answer = () => GOOD
  identity = 2
  assert.equal((await reader.read(targetOf(opa.port), undefined, NEVER)).way, "query")
})

test("what is forgotten is learnt again", async (t) => {
  const opa = await fakeOpa(t, documents)
  const reader = await readerOf(t)
  await reader.read(targetOf(opa.port), undefined, NEVER)
  reader.keep([])
  opa.requests.length = 0
  await reader.read(targetOf(opa.port), undefined, NEVER)
  assert.equal(asked(opa)[0], QUERY)
})

test("where everything is refused, the first refusal counts, and all ways are tried the next time", async (t) => {
  const opa = await fakeOpa(t, () => ({ status: 401 }))
  const reader = await readerOf(t)
  const failure = {
    reason: "unauthorized",
    message: "it answers 401: a token is missing, wrong, or may not ask this",
  }
  await assert.rejects(reader.read(targetOf(opa.port), undefined, NEVER), failure)
  await assert.rejects(reader.read(targetOf(opa.port), undefined, NEVER), failure)
  assert.deepEqual(asked(opa), [QUERY, PACKAGE, DOCUMENTS[0], QUERY, PACKAGE, DOCUMENTS[0]])
})

test("only the ways that are allowed are tried", async (t) => {
  const opa = await fakeOpa(t, () => ({ status: 401 }))
  await assert.rejects((await readerOf(t, ["query"])).read(targetOf(opa.port), undefined, NEVER))
  assert.deepEqual(asked(opa), [QUERY])
})

test("a path that OPA complains of loses its digest, then its count, and the others stay", async (t) => {
  const opa = await fakeOpa(t, ({ body }) => {
    const { query } = JSON.parse(body) as { query: string }
    if (!query.includes("namespaces")) return queryAnswer([null, { keys: 2, members: 7, digest: "d" }])
    return { status: 400, body: JSON.stringify({ errors: [{ code: "rego_type_error", location: { row: 2 } }] }) }
  })
  const reader = await readerOf(t)
  const { places, digests } = await reader.read(targetOf(opa.port), "content", NEVER)
  assert.deepEqual([places[0], digests], [{ kind: "uncountable" }, true])
  assert.deepEqual(
    opa.requests.map(({ body }) => [body.includes("json.marshal(d)"), body.includes("namespaces")]),
    [
      [true, true],
      [false, true],
      [false, false],
    ],
  )
  await reader.read(targetOf(opa.port), "content", NEVER)
  assert.equal(opa.requests.length, 4)
})

const bad: readonly (readonly [what: string, answer: ReturnType<FakeOpa["answer"]>, reason: string])[] = [
  ["HTML", { headers: { "content-type": "text/html" }, body: "<html>" }, "answer"],
  ["half JSON", { body: '{"result":[{"r":[[["obj' }, "answer"],
  ["another product's JSON", { body: '{"status":"success"}' }, "answer"],
  ["nothing", {}, "answer"],
  ["500", { status: 500, body: '{"code":"internal_error"}' }, "status"],
  ["503", { status: 503 }, "status"],
  ["a redirect", { status: 301, headers: { location: "/elsewhere" } }, "status"],
  ["an answer that breaks off", { body: '{"result":[', end: "close" }, "connection"],
  ["an answer that stops", { body: '{"result":[', end: "hang" }, "timeout"],
  ["an endless answer", { body: " ".repeat(1_048_577), end: "hang" }, "size"],
]
for (const [what, answer, reason] of bad) {
  test(`${what} is told as ${reason}, and nothing else is tried`, async (t) => {
    const opa = await fakeOpa(t, () => answer)
    await assert.rejects((await readerOf(t)).read(targetOf(opa.port), undefined, NEVER), { reason })
    assert.deepEqual([...new Set(asked(opa))], [QUERY])
  })
}

const badDocuments: readonly (readonly [what: string, answer: ReturnType<FakeOpa["answer"]>, reason: string])[] = [
  ["HTML", { body: "<html>" }, "answer"],
  ["half JSON", { body: '{"result":{"a":' }, "answer"],
  ["half gzip", { headers: { "content-encoding": "gzip" }, body: gzipSync('{"result":{}}').subarray(0, 20) }, "answer"],
  ["no gzip", { headers: { "content-encoding": "gzip" }, body: "plain" }, "answer"],
  ["an unknown encoding", { headers: { "content-encoding": "br" }, body: "x" }, "answer"],
  [
    "a bomb",
    { headers: { "content-encoding": "gzip" }, body: gzipSync(`{"result":{"a":"${" ".repeat(5000)}`) },
    "size",
  ],
  ["a document that stops", { body: '{"result":{', end: "hang" }, "timeout"],
  ["500", { status: 500 }, "status"],
]
for (const [what, answer, reason] of badDocuments) {
  test(`${what} as a document is told as ${reason}`, async (t) => {
    const opa = await fakeOpa(t, () => answer)
    const reader = await readerOf(t, ["documents"])
    await assert.rejects(reader.read(targetOf(opa.port), undefined, NEVER), { reason })
  })
}

test("an OPA that nobody answers for", async (t) => {
  const reader = await readerOf(t)
  const reasonOf = (changes: Parameters<typeof targetOf>[1]): Promise<string> =>
    reader.read(targetOf(1, changes), undefined, NEVER).then(
      () => "none",
      ({ reason }: ReadFailure) => reason,
    )
  assert.equal(await reasonOf({}), "connection")
  assert.equal(await reasonOf({ address: "no-such-name.invalid" }), "name")
})

test("a server that speaks no TLS is told as tls", async (t) => {
  const opa = await fakeOpa(t, () => GOOD)
  await assert.rejects((await readerOf(t)).read(targetOf(opa.port, { scheme: "https" }), undefined, NEVER), {
    reason: "tls",
    message: "no trusted TLS connection: wrong version number",
  })
})

test("connections are kept from one collection to the next", async (t) => {
  const opa = await fakeOpa(t, () => GOOD)
  const reader = await readerOf(t)
  for (const round of [1, 2, 3]) {
    await reader.read(targetOf(opa.port), undefined, NEVER)
    assert.deepEqual([round, opa.sockets], [round, { opened: 1, closed: 0 }])
  }
})

test("a connection that was closed meanwhile is replaced without a failure", async (t) => {
  const opa = await fakeOpa(t, () => GOOD)
  const reader = await readerOf(t)
  await reader.read(targetOf(opa.port), undefined, NEVER)
  let first = true
  opa.answer = () => {
    const answer = first ? ({ end: "drop" } as const) : GOOD
    first = false
    return answer
  }
  assert.equal((await reader.read(targetOf(opa.port), undefined, NEVER)).way, "query")
  assert.equal(opa.sockets.opened, 2)
})

for (const way of ["query", "documents"] as const) {
  test(`at the deadline the socket is closed, so that OPA waits for nobody: ${way}`, async (t) => {
    const opa = await fakeOpa(t, () => ({ body: '{"result":{', end: "hang" }))
    const reader = await readerOf(t, [way])
    await assert.rejects(reader.read(targetOf(opa.port), undefined, NEVER), { reason: "timeout" })
    await until("the socket to be closed", () => (opa.sockets.closed === 1 ? true : undefined), 0.3)
  })
}

test("a document that is too large is not read to its end", async (t) => {
  const opa = await fakeOpa(t, () => ({ body: `{"result":{"a":"${" ".repeat(5000)}`, end: "hang" }))
  const reader = await readerOf(t, ["documents"])
  await assert.rejects(reader.read(targetOf(opa.port), undefined, NEVER), { reason: "size" })
  await until("the socket to be closed", () => (opa.sockets.closed === 1 ? true : undefined), 0.3)
})

test("an answer that is not read frees its connection", async (t) => {
  const opa = await fakeOpa(t, () => ({ status: 500, body: "and then", end: "hang" }))
  const reader = await readerOf(t, ["documents"])
  for (const round of [1, 2]) {
    await assert.rejects(reader.read(targetOf(opa.port), undefined, NEVER), { reason: "status" })
    await until("the socket to be closed", () => (opa.sockets.closed === round ? true : undefined), 0.3)
  }
})

test("what is told to end ends at once", async (t) => {
  const opa = await fakeOpa(t, () => ({ end: "hang" }))
  const reader = await readerOf(t)
  const ending = new AbortController()
  const reading = reader.read(targetOf(opa.port), undefined, ending.signal)
  await until("the request", () => (opa.requests.length > 0 ? true : undefined))
  const begin = performance.now()
  ending.abort()
  await assert.rejects(reading)
  assert.ok(performance.now() - begin < 300)
})
