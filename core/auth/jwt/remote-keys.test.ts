import assert from "node:assert/strict"
import { generateKeyPairSync } from "node:crypto"
import type { RequestListener } from "node:http"
import { createServer } from "node:https"
import { type TestContext, test } from "node:test"
import { SignJWT } from "jose"
import { createLogger } from "#core/log/logger.ts"
import { makeAuthority } from "../../../dev/testing/certificates.ts"
import { listen } from "../../../dev/testing/listen.ts"
import { until } from "../../../dev/testing/until.ts"
import { createIssuer } from "./issuer.ts"
import { followKeys, KEY_TIMES, type KeyTimes } from "./remote-keys.ts"

const authority = makeAuthority("test authority")

function keyPair(kid: string) {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" })
  /** Null: without one. */
  const sign = (usedKid: string | null = kid) =>
    new SignJWT({ iss: "i", aud: "a" })
      .setProtectedHeader({ alg: "ES256", ...(usedKid === null ? {} : { kid: usedKid }) })
      .setExpirationTime("10m")
      .sign(privateKey)
  return { jwk: { ...publicKey.export({ format: "jwk" }), kid }, sign }
}
const [first, second] = [keyPair("first"), keyPair("second")]
const jwks = (...pairs: readonly (typeof first)[]) => JSON.stringify({ keys: pairs.map(({ jwk }) => jwk) })

/** An issuer's server over TLS; `respond` may be replaced. Counts what it received. */
async function serveKeys(t: TestContext, respond: RequestListener) {
  const issued = authority.issue({ name: "issuer", sans: ["IP:127.0.0.1"] })
  const state = { respond, received: 0 }
  const server = createServer(issued, (request, response) => {
    state.received++
    state.respond(request, response)
  })
  return { state, url: new URL(`https://127.0.0.1:${await listen(t, server)}/jwks.json?secret=x`) }
}

function follow(t: TestContext, url: URL, times: Partial<KeyTimes> = {}, ca: string | undefined = authority.cert) {
  const lines: string[] = []
  const log = createLogger({ level: "debug", format: "logfmt" }, "proxy", (line) => lines.push(line))
  const keys = followKeys(url, ca, log, { ...KEY_TIMES, ...times })
  t.after(() => keys.close())
  const issuer = createIssuer(
    { issuer: "i", audience: ["a"], algorithms: ["ES256"], clock_tolerance: 0 },
    { name: "central" },
    keys,
  )
  let count = 0
  const accepts = async (token: string): Promise<boolean> => {
    const result = await issuer.verify(token, String(count++), new Date())
    return "owner" in result
  }
  return { keys, issuer, accepts, log: () => lines.join("") }
}

test("keys come over verified TLS; a token that arrives before them waits", async (t) => {
  const { url } = await serveKeys(t, (_, response) => response.end(jwks(first)))
  const { accepts } = follow(t, url)
  assert.equal(await accepts(await first.sign()), true)
  assert.equal(await accepts(await second.sign("first")), false)
})

test("a server that the authorities do not know gives no keys", async (t) => {
  const { url } = await serveKeys(t, (_, response) => response.end(jwks(first)))
  const { accepts, log } = follow(t, url, {}, makeAuthority("another").cert)
  assert.equal(await accepts(await first.sign()), false)
  assert.match(log(), /fetching the keys of an issuer failed, refusing its tokens/)
})

const unknown = (count: number) =>
  Promise.all(Array.from({ length: count }, (_, index) => second.sign(`unknown ${index}`)))

test("1,000 tokens with unknown keys cause one request", async (t) => {
  const { url, state } = await serveKeys(t, (_, response) => response.end(jwks(first)))
  const { accepts } = follow(t, url, { coolDown: 3600 })
  assert.equal(await accepts(await first.sign()), true)
  for (const token of await unknown(1000)) assert.equal(await accepts(token), false)
  assert.equal(state.received, 1)
})

test("unknown keys cause one more request when the cool-down is over, however many tokens there are", async (t) => {
  const { url, state } = await serveKeys(t, (_, response) => response.end(jwks(first)))
  const coolDown = 0.5
  const { accepts } = follow(t, url, { coolDown })
  assert.equal(await accepts(await first.sign()), true)
  const tokens = await unknown(100)
  const begin = performance.now()
  await until("the second request", async () => {
    await Promise.all(tokens.map(async (token) => assert.equal(await accepts(token), false)))
    return state.received > 1 ? true : undefined
  })
  assert.ok(state.received <= 2 + (performance.now() - begin) / (coolDown * 1000), `${state.received} requests`)
})

test("a new key is found once it is used, and a key that is gone is refused", async (t) => {
  const { url, state } = await serveKeys(t, (_, response) => response.end(jwks(first)))
  const { accepts, issuer } = follow(t, url, { coolDown: 0 })
  assert.equal(await accepts(await first.sign()), true)
  assert.notEqual(issuer.known("0", new Date()), undefined)
  state.respond = (_, response) => response.end(jwks(second))
  assert.equal(await accepts(await second.sign()), true)
  assert.equal(issuer.known("0", new Date()), undefined)
  assert.equal(await accepts(await first.sign()), false)
})

for (const [what, kid] of [
  ["has no kid", null],
  ["has the kid of the one before", "first"],
] as const) {
  test(`a new key is found once it is used where its token ${what}`, async (t) => {
    const { url, state } = await serveKeys(t, (_, response) => response.end(jwks(first)))
    const { accepts } = follow(t, url, { coolDown: 0 })
    assert.equal(await accepts(await first.sign(kid)), true)
    const renamed = JSON.stringify({ keys: [{ ...second.jwk, kid: "first" }] })
    state.respond = (_, response) => response.end(renamed)
    assert.equal(await accepts(await second.sign(kid)), true)
    assert.equal(await accepts(await first.sign(kid)), false)
  })
}

test("forged tokens cause no request within the cool-down", async (t) => {
  const { url, state } = await serveKeys(t, (_, response) => response.end(jwks(first)))
  const { accepts } = follow(t, url, { coolDown: 3600 })
  assert.equal(await accepts(await first.sign()), true)
  for (const kid of ["first", null]) assert.equal(await accepts(await second.sign(kid)), false)
  assert.equal(state.received, 1)
})

test("keys are fetched again in the background", async (t) => {
  const { url, state } = await serveKeys(t, (_, response) => response.end(jwks(first)))
  const { keys, accepts } = follow(t, url, { refresh: 0.05 })
  assert.equal(await accepts(await first.sign()), true)
  const before = keys.current()
  state.respond = (_, response) => response.end(jwks(second))
  await until("the new keys", () => (keys.current() === before ? undefined : true))
})

const FAILURES: readonly (readonly [name: string, respond: RequestListener])[] = [
  ["is a redirect", (_, response) => response.writeHead(302, { location: "/other" }).end()],
  ["is an error", (_, response) => response.writeHead(500).end(jwks(second))],
  ["is no JSON", (_, response) => response.end("<html>")],
  ["has no keys", (_, response) => response.end('{"keys":[]}')],
  ["is larger than 1 MiB", (_, response) => response.end(" ".repeat(1_100_000))],
  ["breaks off", (_, response) => (response.write("{"), response.destroy())],
]
for (const [name, respond] of FAILURES) {
  test(`a response that ${name} keeps the previous keys, and the request is repeated`, async (t) => {
    const { url, state } = await serveKeys(t, (_, response) => response.end(jwks(first)))
    const { accepts, log } = follow(t, url, { coolDown: 0, refresh: 0.1, retry: 0.01 })
    assert.equal(await accepts(await first.sign()), true)
    state.respond = respond
    await until("the failure", () => (log().includes("keeping the previous ones") ? true : undefined))
    assert.equal(await accepts(await first.sign()), true)
    state.respond = (_, response) => response.end(jwks(second))
    await until("the new keys", async () => ((await accepts(await second.sign())) ? true : undefined))
    assert.match(log(), /keys of an issuer fetched again/)
    assert.doesNotMatch(log(), /secret=/)
  })
}

test("a damaged key is reported once, its tokens are refused, and the other keys go on", async (t) => {
  const damaged = { kty: "EC", crv: "P-256", x: "AAAA", y: "AAAA", kid: "second" }
  const { url, state } = await serveKeys(t, (_, response) =>
    response.end(JSON.stringify({ keys: [damaged, first.jwk] })),
  )
  const { accepts, log } = follow(t, url, { refresh: 0.02, coolDown: 0 })
  assert.equal(await accepts(await first.sign()), true)
  assert.equal(await accepts(await second.sign()), false)
  await until("more requests", () => (state.received > 5 ? true : undefined))
  const lines = log()
    .split("\n")
    .filter((line) => line.includes("cannot be used"))
  assert.equal(lines.length, 1)
  assert.match(lines[0] ?? "", /level=warn .*keys\[0\] \(kid .*second.*\) is damaged: /)
})

test("keys of an issuer that is down at the start are requested until it is up", async (t) => {
  const { url, state } = await serveKeys(t, (_, response) => response.writeHead(503).end())
  const { accepts, log } = follow(t, url, { retry: 0.01, refresh: 0.1 })
  assert.equal(await accepts(await first.sign()), false)
  assert.match(log(), /refusing its tokens/)
  state.respond = (_, response) => response.end(jwks(first))
  await until("the keys", async () => ((await accepts(await first.sign())) ? true : undefined))
})

test("a request to an issuer that hangs fails after the deadline", async (t) => {
  const { url } = await serveKeys(t, () => undefined)
  const { accepts, log } = follow(t, url, { deadline: 0.2 })
  assert.equal(await accepts(await first.sign()), false)
  assert.match(log(), /no whole response within 0.2 s/)
})

test("keys that could not be renewed for too long are no longer used until the same come again", async (t) => {
  const { url, state } = await serveKeys(t, (_, response) => response.end(jwks(first)))
  const { accepts, keys, issuer } = follow(t, url, { stale: 0.2, refresh: 0.05, retry: 0.05 })
  await until("the first keys", async () => ((await accepts(await first.sign())) ? true : undefined))
  state.respond = (_, response) => response.writeHead(500).end()
  await until("the keys to be dropped", () => (issuer.known("0", new Date()) === undefined ? true : undefined))
  assert.equal(keys.current(), undefined)
  assert.equal(await accepts(await first.sign()), false)
  state.respond = (_, response) => response.end(jwks(first))
  await until("the keys", async () => ((await accepts(await first.sign())) ? true : undefined))
})
