import assert from "node:assert/strict"
import { test, type TestContext } from "node:test"
import { gzipSync } from "node:zlib"
import { countedPaths } from "./paths.ts"
import type { ReadMethod } from "./reading.ts"
import { type FakeOpa, fakeOpa, queryResponse, targetOf, testReader } from "./testing.ts"

const paths = countedPaths(
  [{ name: "k/namespaces", segments: ["k", "namespaces"] }],
  [{ name: "k/services", segments: ["k", "services"] }],
)
const NEVER = new AbortController().signal
const clock = { now: new Date(0) }

/** `timeout`: seconds; without it, reads end before. */
const readerOf = (t: TestContext, methods?: readonly ReadMethod[], timeout = 3600) =>
  testReader(t, { paths, now: () => clock.now, timeout, documentLimit: 1000, ...(methods && { methods }) })

const requestsOf = ({ requests }: FakeOpa): readonly string[] => requests.map(({ method, url }) => `${method} ${url}`)
const GOOD = queryResponse([{ keys: 3 }, { keys: 2, members: 7 }])
const PATH_COUNTS = [
  { kind: "counted", keys: 3, members: undefined, digest: undefined },
  { kind: "counted", keys: 2, members: 7, digest: undefined },
]
const [QUERY, PACKAGE] = ["POST /v1/query?metrics=true", "GET /v1/data/fedstack/opa_data/counts?metrics=true"]
const DOCUMENTS = ["GET /v1/data/k/namespaces", "GET /v1/data/k/services"]

test("one request reads all counts", async (t) => {
  const opa = await fakeOpa(t, () => GOOD)
  const reading = await (await readerOf(t)).read(targetOf(opa.port), undefined, NEVER)
  assert.deepEqual(reading, { pathCounts: PATH_COUNTS, method: "query", opaSeconds: 0.002, digests: false })
  assert.deepEqual(requestsOf(opa), [QUERY])
})

test("where queries are refused, the package is read, and from then on at once", async (t) => {
  const opa = await fakeOpa(t, ({ method }) =>
    method === "POST"
      ? { status: 401, body: '{"code":"unauthorized"}' }
      : {
          body: JSON.stringify({
            result: { "k/namespaces": [[[3], [], []]], "k/services": [[[2], [7], []]] },
          }),
        },
  )
  const reader = await readerOf(t)
  for (const round of [1, 2]) {
    const { pathCounts, method } = await reader.read(targetOf(opa.port), undefined, NEVER)
    assert.deepEqual([round, pathCounts, method], [round, PATH_COUNTS, "package"])
  }
  assert.deepEqual(requestsOf(opa), [QUERY, PACKAGE, PACKAGE])
})

test("a package that has no rule of digests still has the counts", async (t) => {
  const result = { "k/namespaces": [[[3], [], []]], "k/services": [[[2], [7], []]] }
  const opa = await fakeOpa(t, ({ url }) =>
    url.includes("/counts?") ? { body: JSON.stringify({ result }) } : { status: 401 },
  )
  const reading = await (await readerOf(t)).read(targetOf(opa.port), "resourceVersion", NEVER)
  assert.deepEqual(reading, { pathCounts: PATH_COUNTS, method: "package", opaSeconds: undefined, digests: false })
})

const documents: FakeOpa["respond"] = ({ method, url }) => {
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
  assert.deepEqual(reading, { pathCounts: PATH_COUNTS, method: "documents", opaSeconds: undefined, digests: false })
  const digests = "GET /v1/data/fedstack/opa_data/counts_and_objects?metrics=true"
  assert.deepEqual(requestsOf(opa), [QUERY, digests, PACKAGE, ...DOCUMENTS])
  assert.equal(opa.requests[3]?.headers["accept-encoding"], "gzip")
})

test("a better method is tried again after ten minutes, and at once on another address", async (t) => {
  const opa = await fakeOpa(t, documents)
  const reader = await readerOf(t)
  const read = async (address = "127.0.0.1"): Promise<readonly string[]> => {
    opa.requests.length = 0
    await reader.read(targetOf(opa.port, { address }), undefined, NEVER)
    return requestsOf(opa)
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

test("a better method is tried again at once with another token or certificate", async (t) => {
  const opa = await fakeOpa(t, documents)
  let identity = 1
  const reader = await testReader(t, { paths, identity: () => identity })
  await reader.read(targetOf(opa.port), undefined, NEVER)
  opa.respond = () => GOOD
  identity = 2
  assert.equal((await reader.read(targetOf(opa.port), undefined, NEVER)).method, "query")
})

test("what is forgotten is learnt again", async (t) => {
  const opa = await fakeOpa(t, documents)
  const reader = await readerOf(t)
  await reader.read(targetOf(opa.port), undefined, NEVER)
  reader.keep([])
  opa.requests.length = 0
  await reader.read(targetOf(opa.port), undefined, NEVER)
  assert.equal(requestsOf(opa)[0], QUERY)
})

test("where everything is refused, the first refusal is the reason, and all methods are tried the next time", async (t) => {
  const opa = await fakeOpa(t, ({ url }) => ({ status: url.startsWith("/v1/query") ? 401 : 404 }))
  const reader = await readerOf(t)
  const failure = {
    reason: "unauthorized",
    message: "it responds with status 401: a token is missing, wrong, or must not read this",
  }
  await assert.rejects(reader.read(targetOf(opa.port), undefined, NEVER), failure)
  await assert.rejects(reader.read(targetOf(opa.port), undefined, NEVER), failure)
  assert.deepEqual(requestsOf(opa), [QUERY, PACKAGE, DOCUMENTS[0], QUERY, PACKAGE, DOCUMENTS[0]])
})

test("a 400 that no OPA writes makes the method unavailable", async (t) => {
  const opa = await fakeOpa(t, () => ({ status: 400, body: "Client sent an HTTP request to an HTTPS server." }))
  const message = "it responds with status 400: it may expect https"
  await assert.rejects((await readerOf(t)).read(targetOf(opa.port), undefined, NEVER), {
    reason: "bad_request",
    message,
  })
  assert.deepEqual(requestsOf(opa), [QUERY, PACKAGE, DOCUMENTS[0]])
})

test("only the methods that are allowed are tried", async (t) => {
  const opa = await fakeOpa(t, () => ({ status: 401 }))
  await assert.rejects((await readerOf(t, ["query"])).read(targetOf(opa.port), undefined, NEVER))
  assert.deepEqual(requestsOf(opa), [QUERY])
})

test("a path that OPA rejects loses its digest, then its count, and the others stay", async (t) => {
  const opa = await fakeOpa(t, ({ body }) => {
    const { query } = JSON.parse(body) as { query: string }
    if (!query.includes("namespaces")) return queryResponse([null, { keys: 2, members: 7, digest: "d" }])
    return { status: 400, body: JSON.stringify({ errors: [{ code: "rego_type_error", location: { row: 2 } }] }) }
  })
  const reader = await readerOf(t)
  const { pathCounts, digests } = await reader.read(targetOf(opa.port), "content", NEVER)
  assert.deepEqual([pathCounts[0], digests], [{ kind: "uncountable" }, true])
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

const bad: readonly (readonly [what: string, response: ReturnType<FakeOpa["respond"]>, reason: string])[] = [
  ["HTML", { headers: { "content-type": "text/html" }, body: "<html>" }, "not_json"],
  ["half JSON", { body: '{"result":[{"r":[[["obj' }, "not_json"],
  ["another product's JSON", { body: '{"status":"success"}' }, "unexpected_response"],
  ["nothing", {}, "not_json"],
  ["500", { status: 500, body: '{"code":"internal_error"}' }, "server_error"],
  ["503", { status: 503 }, "server_error"],
  ["a redirect", { status: 301, headers: { location: "/elsewhere" } }, "redirect"],
  ["a response that breaks off", { body: '{"result":[', end: "close" }, "connection"],
  ["a response that stops", { body: '{"result":[', end: "hang" }, "timeout"],
  ["an endless response", { body: " ".repeat(1_048_577), end: "hang" }, "too_large"],
]

for (const [what, response, reason] of bad) {
  test(`${what} fails with the reason ${reason}, and nothing else is tried`, async (t) => {
    const opa = await fakeOpa(t, () => response)
    const reader = await readerOf(t, undefined, reason === "timeout" ? 0.5 : undefined)
    await assert.rejects(reader.read(targetOf(opa.port), undefined, NEVER), { reason })
    assert.deepEqual([...new Set(requestsOf(opa))], [QUERY])
  })
}

/** Time passes only where a test moves it. */
function clockOf(t: TestContext): { readonly pass: (milliseconds: number) => void } {
  let now = 1000
  t.mock.method(performance, "now", () => now)
  return { pass: (milliseconds) => void (now += milliseconds) }
}

test("an OPA whose turn comes when the time for digests is over makes counts alone, and is not charged", async (t) => {
  const opa = await fakeOpa(t, () => GOOD)
  const reader = await readerOf(t, undefined, 100)
  clockOf(t)
  const reading = await reader.read(targetOf(opa.port), "content", NEVER, performance.now() - 80_000)
  assert.deepEqual(reading, {
    pathCounts: PATH_COUNTS,
    method: "query",
    opaSeconds: 0.002,
    digests: false,
    digestsFailedAfter: 0,
  })
  assert.equal(opa.requests.length, 1)
})

test("digests that come too late cost the time for which they were waited for", async (t) => {
  const opa = await fakeOpa(t, ({ body }) => (body.includes("sha256") ? { end: "hang" } : GOOD))
  const reader = await readerOf(t, undefined, 90)
  clockOf(t)
  const reading = await reader.read(targetOf(opa.port), "resourceVersion", NEVER, performance.now() - 59_900)
  assert.equal(reading.digestsFailedAfter?.toFixed(2), "0.10")
})

test("an OPA that fails over digests, or whose proxy does not wait for them, is counted without", async (t) => {
  const { pass } = clockOf(t)
  const opa = await fakeOpa(t, ({ body }) => {
    if (!body.includes("sha256")) return GOOD
    pass(150)
    return { status: 504, body: "<html>" }
  })
  const reading = await (await readerOf(t)).read(targetOf(opa.port), "resourceVersion", NEVER)
  assert.deepEqual([reading.pathCounts, reading.digests, reading.digestsFailedAfter], [PATH_COUNTS, false, 0.15])
})

test("an OPA that rejects the same path again and again is not read", async (t) => {
  const rejection = JSON.stringify({ errors: [{ code: "rego_type_error", location: { row: 2 } }] })
  const opa = await fakeOpa(t, () => ({ status: 400, body: rejection }))
  await assert.rejects((await readerOf(t, ["query"])).read(targetOf(opa.port), undefined, NEVER), {
    reason: "bad_request",
  })
  assert.equal(opa.requests.length, 2)
})
