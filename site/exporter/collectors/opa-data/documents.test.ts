import assert from "node:assert/strict"
import { test, type TestContext } from "node:test"
import { gzipSync } from "node:zlib"
import { until } from "../../../../dev/testing/until.ts"
import { countedPaths } from "./paths.ts"
import { type FakeOpa, fakeOpa, targetOf, testReader } from "./testing.ts"

const paths = countedPaths([{ name: "k", segments: ["k"] }], [])
const NEVER = new AbortController().signal

/** `timeout`: seconds; without it, reads end before. */
const readerOf = (t: TestContext, timeout = 3600) =>
  testReader(t, { paths, timeout, documentLimit: 1000, methods: ["documents"] })

const badDocuments: readonly (readonly [what: string, response: ReturnType<FakeOpa["respond"]>, reason: string])[] = [
  ["HTML", { body: "<html>" }, "unexpected_response"],
  ["half JSON", { body: '{"result":{"a":' }, "unexpected_response"],
  [
    "half gzip",
    { headers: { "content-encoding": "gzip" }, body: gzipSync('{"result":{}}').subarray(0, 20) },
    "connection",
  ],
  ["no gzip", { headers: { "content-encoding": "gzip" }, body: "plain" }, "unexpected_response"],
  ["an unknown encoding", { headers: { "content-encoding": "br" }, body: "x" }, "unexpected_response"],
  [
    "a bomb",
    { headers: { "content-encoding": "gzip" }, body: gzipSync(`{"result":{"a":"${" ".repeat(5000)}`) },
    "too_large",
  ],
  ["a document that stops", { body: '{"result":{', end: "hang" }, "timeout"],
  ["500", { status: 500 }, "server_error"],
]

for (const [what, response, reason] of badDocuments) {
  test(`${what} as a document fails with the reason ${reason}`, async (t) => {
    const opa = await fakeOpa(t, () => response)
    const reader = await readerOf(t, reason === "timeout" ? 0.5 : undefined)
    await assert.rejects(reader.read(targetOf(opa.port), undefined, NEVER), { reason })
  })
}

test("a document that is too large is not read to its end", async (t) => {
  const opa = await fakeOpa(t, () => ({ body: `{"result":{"a":"${" ".repeat(5000)}`, end: "hang" }))
  const reader = await readerOf(t)
  await assert.rejects(reader.read(targetOf(opa.port), undefined, NEVER), { reason: "too_large" })
  await until("the socket to be closed", () => (opa.sockets.closed === 1 ? true : undefined))
})

test("zeros that follow a whole gzip are not waited for, and hold up no other reading", async (t) => {
  const gzip = gzipSync(JSON.stringify({ result: { a: {} } }))
  const opa = await fakeOpa(t, () => ({
    headers: { "content-encoding": "gzip" },
    body: Buffer.concat([gzip, Buffer.alloc(8)]),
    end: "hang",
  }))
  const reader = await readerOf(t)
  assert.equal((await reader.read(targetOf(opa.port), undefined, NEVER)).method, "documents")
  assert.equal((await reader.read(targetOf(opa.port), undefined, NEVER)).method, "documents")
})
