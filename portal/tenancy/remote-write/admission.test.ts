import assert from "node:assert/strict"
import { test, type TestContext } from "node:test"
import { temporaryFolder } from "../../../dev/testing/folder.ts"
import { CASES } from "./receiver-cases.testing.ts"
import { startTestProxy, startUpstream, status } from "./testing.ts"

const BOTH = CASES.find(({ id }) => id === "outcome-both-taken")
const TOKENS = { A: "first-token-of-a-9f31c7", B: "first-token-of-b-77d0e2" }

async function setUp(t: TestContext, limits = "") {
  const upstream = await startUpstream(t)
  const file = await temporaryFolder(t).write(
    "senders.yaml",
    `senders:\n  - { name: a, token: { env: A }${limits} }\n  - { name: b, token: { env: B } }\n`,
  )
  const args = ["--disable-full-replication", "--ingester-upstream-url", upstream.url, "--senders", file]
  const proxy = await startTestProxy(t, args, { env: TOKENS })
  const send = (authorization?: string) =>
    proxy.send({
      headers: { ...BOTH?.request.headers, ...(authorization !== undefined && { authorization }) },
      body: Buffer.from(BOTH?.body ?? "", "base64"),
    })
  return { upstream, proxy, send }
}

test("without a token of the file nothing is read or sent, and no log has a token", async (t) => {
  const { upstream, proxy, send } = await setUp(t)
  for (const authorization of [undefined, "Bearer wrong-token-1234567890", "Basic YTpi", `bearer ${TOKENS.A}x`]) {
    const { status: code, headers, body } = await send(authorization)
    assert.deepEqual(
      [code, headers["www-authenticate"], body],
      [401, "Bearer", "A valid token is needed, as the header 'Authorization: Bearer TOKEN'.\n"],
    )
  }
  assert.deepEqual(upstream.received, [])
  assert.equal((await send(`Bearer ${TOKENS.A}`)).status, 204)
  assert.ok(!proxy.log().includes("token-1234") && !proxy.log().includes(TOKENS.A), proxy.log())
})

test("a sender has nothing of what is remembered of another one with the same bytes", async (t) => {
  const { upstream, send } = await setUp(t)
  upstream.respond.set("blue", status(503))
  for (const token of [TOKENS.A, TOKENS.A, TOKENS.B]) assert.equal((await send(`Bearer ${token}`)).status, 503)
  assert.deepEqual(upstream.received.map(({ tenant }) => tenant).toSorted(), ["blue", "blue", "blue", "red", "red"])
})

test("a sender beyond its limit gets 429 with Retry-After, and the other one writes on", async (t) => {
  const { send } = await setUp(t, ", limits: { requests_per_second: 0.01 }")
  assert.equal((await send(`Bearer ${TOKENS.A}`)).status, 204)
  const { status: code, headers } = await send(`Bearer ${TOKENS.A}`)
  assert.equal(code, 429)
  assert.match(headers["retry-after"] ?? "", /^(?:9\d|100)$/)
  assert.equal((await send(`Bearer ${TOKENS.B}`)).status, 204)
})
