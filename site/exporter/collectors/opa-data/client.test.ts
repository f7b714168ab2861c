import assert from "node:assert/strict"
import { once } from "node:events"
import { type AddressInfo, createServer } from "node:net"
import { test, type TestContext } from "node:test"
import { until } from "../../../../dev/testing/until.ts"
import type { ReadFailure } from "./failure.ts"
import { countedPaths } from "./paths.ts"
import type { ReadMethod } from "./reading.ts"
import { fakeOpa, queryResponse, targetOf, testReader } from "./testing.ts"

const paths = countedPaths([{ name: "k", segments: ["k"] }], [])
const NEVER = new AbortController().signal
const GOOD = queryResponse([{ keys: 3 }])

/** `timeout`: seconds; without it, reads end before. */
const readerOf = (t: TestContext, methods: readonly ReadMethod[] = ["query"], timeout = 3600) =>
  testReader(t, { paths, timeout, documentLimit: 1000, methods })

test("an address at which nothing listens, and a name that does not exist", async (t) => {
  const reader = await readerOf(t)
  const reasonOf = (changes: Parameters<typeof targetOf>[1]): Promise<string> =>
    reader.read(targetOf(1, changes), undefined, NEVER).then(
      () => "none",
      ({ reason }: ReadFailure) => reason,
    )
  assert.equal(await reasonOf({}), "refused")
  assert.equal(await reasonOf({ address: "no-such-name.invalid" }), "dns")
})

test("a server that speaks no TLS fails with the reason tls", async (t) => {
  const opa = await fakeOpa(t, () => GOOD)
  await assert.rejects((await readerOf(t)).read(targetOf(opa.port, { scheme: "https" }), undefined, NEVER), {
    reason: "tls",
    message: "the server does not speak TLS. If it speaks plain HTTP, set --opa-scheme to http",
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

test("connections to many pods are closed after each response", async (t) => {
  const opa = await fakeOpa(t, () => GOOD)
  const reader = await readerOf(t)
  for (const [pods, opened, closed] of [
    [100, 1, 0],
    [101, 1, 1],
    [101, 2, 2],
    [100, 3, 2],
    [100, 3, 2],
  ] as const) {
    reader.keep(Array.from({ length: pods }, (_, index) => targetOf(opa.port, { pod: `opa-${index}` })))
    await reader.read(targetOf(opa.port), undefined, NEVER)
    await until(`${closed} connections to be closed`, () => (opa.sockets.closed === closed ? true : undefined))
    assert.deepEqual([pods, opa.sockets], [pods, { opened, closed }])
  }
})

test("a connection that was closed meanwhile is replaced without a failure", async (t) => {
  const opa = await fakeOpa(t, () => GOOD)
  const reader = await readerOf(t)
  await reader.read(targetOf(opa.port), undefined, NEVER)
  let first = true
  opa.respond = () => {
    const response = first ? ({ end: "drop" } as const) : GOOD
    first = false
    return response
  }
  assert.equal((await reader.read(targetOf(opa.port), undefined, NEVER)).method, "query")
  assert.equal(opa.sockets.opened, 2)
})

for (const method of ["query", "documents"] as const) {
  test(`at the deadline the socket is closed, so that OPA does not wait: ${method}`, async (t) => {
    const opa = await fakeOpa(t, () => ({ body: '{"result":{', end: "hang" }))
    const reader = await readerOf(t, [method], 0.5)
    await assert.rejects(reader.read(targetOf(opa.port), undefined, NEVER), { reason: "timeout" })
    await until("the socket to be closed", () => (opa.sockets.closed === 1 ? true : undefined))
  })
}

for (const method of ["query", "documents"] as const) {
  test(`the deadline holds while there is no connection yet: ${method}`, { timeout: 60_000 }, async (t) => {
    const silent = createServer((socket) => t.after(() => socket.destroy()))
    silent.listen(0, "127.0.0.1")
    await once(silent, "listening")
    t.after(() => silent.close())
    const { port } = silent.address() as AddressInfo
    const reader = await readerOf(t, [method], 0.2)
    await assert.rejects(reader.read(targetOf(port, { scheme: "https" }), undefined, NEVER), { reason: "timeout" })
  })
}

test("a response that is not read frees its connection", async (t) => {
  const opa = await fakeOpa(t, () => ({ status: 500, body: "and then", end: "hang" }))
  const reader = await readerOf(t, ["documents"])
  for (const round of [1, 2]) {
    await assert.rejects(reader.read(targetOf(opa.port), undefined, NEVER), { reason: "server_error" })
    await until("the socket to be closed", () => (opa.sockets.closed === round ? true : undefined))
  }
})

test("an aborted read ends at once", { timeout: 60_000 }, async (t) => {
  const opa = await fakeOpa(t, () => ({ end: "hang" }))
  const reader = await readerOf(t)
  const ending = new AbortController()
  const reading = reader.read(targetOf(opa.port), undefined, ending.signal)
  await until("the request", () => (opa.requests.length > 0 ? true : undefined))
  ending.abort()
  await assert.rejects(reading)
})
