import assert from "node:assert/strict"
import { generateKeyPairSync } from "node:crypto"
import { type TestContext, test } from "node:test"
import { SignJWT } from "jose"
import { temporaryFolder } from "../../../../dev/testing/folder.ts"
import { until } from "../../../../dev/testing/until.ts"
import { headerOf, seriesOfAll, startFakeStore } from "../store.testing.ts"
import { startTestExposition, TOKEN } from "../testing.ts"

const NOW = Date.now()

/** Two issuers with the same key, before a store whose series say which tenant they are of: one allows any tenant, one only two. */
async function start(t: TestContext, limits = "") {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519")
  const keys = await temporaryFolder(t).write(
    "jwks.json",
    JSON.stringify({ keys: [publicKey.export({ format: "jwk" })] }),
  )
  const store = await startFakeStore(
    t,
    seriesOfAll((received) => [
      { labels: { __name__: "up", of: headerOf(received, "x-scope-orgid").join("+") }, samples: [[NOW, 1]] },
      { labels: { __name__: "up", tenant_id: "forged" }, samples: [[NOW, 2]] },
    ]),
  )
  const issuer = (name: string, more: string) =>
    `  - {name: ${name}, issuer: ${name}, audience: a, jwks: {file: ${keys}}, match: [up]${more}}\n`
  const exposition = await startTestExposition(
    t,
    `upstreams: ["${store.url}"]
reuse: 0
tokens:
  - {name: both, env: TEAM_TOKEN, tenants: [red, blue], match: [up]}
jwt:
${issuer("proto", ", tenant_claim: __proto__")}${issuer("open", `, tenant_claim: tenant${limits}`)}${issuer("listed", ", tenant_claim: tenant, tenants: [red, blue]")}`,
    { now: () => new Date(NOW) },
  )
  const sign = (claims: Readonly<Record<string, unknown>>, iss = "open") =>
    new SignJWT({ iss, aud: "a", exp: NOW / 1000 + 3600, ...claims })
      .setProtectedHeader({ alg: "EdDSA" })
      .sign(privateKey)
  const get = async (token: string) => exposition.get("/metrics", { authorization: `Bearer ${token}` })
  const tenants = () => [...new Set(store.received.map((received) => headerOf(received, "x-scope-orgid").join("+")))]
  return { exposition, sign, get, tenants }
}

const series = (body: string): readonly string[] =>
  body.split("\n").filter((line) => line !== "" && !line.startsWith("#"))

test("the claim of a token names its tenant, and limits, audit line and series are that tenant's", async (t) => {
  const { exposition, sign, get, tenants } = await start(t)
  const token = await sign({ tenant: "red", sub: "prometheus" })
  const { status, body } = await get(token)
  assert.deepEqual(
    [status, series(body), tenants()],
    [200, ['up{of="red",instance=""} 1', 'up{tenant_id="forged",instance=""} 2'], ["red"]],
  )
  const line = await until("the audit line", () => /.*"msg":"request".*/.exec(exposition.log())?.[0])
  const { client, subject } = JSON.parse(line) as Record<string, unknown>
  assert.deepEqual([client, subject], ["open/red", "prometheus"])
  assert.equal(exposition.log().includes(token), false)
  const counted = await exposition.metrics("requests_total")
  assert.deepEqual(counted, ['fedstack_tenancy_exposition_requests_total{client="open",code="200",reason="ok"} 1'])
})

/** Claims that name no tenant, by what they could be read as: two tenants, an expression, a folder, a property of every object. */
const CLAIMS: readonly unknown[] = [
  ...[
    undefined,
    "",
    "red|blue",
    ".*",
    "re.*|x",
    "(red)",
    "re.",
    "r*d",
    "..",
    ".",
    "__markers__",
    "red/../blue",
    "red\nx-scope-orgid: blue",
    " red",
    "r\0d",
  ],
  ...[["red"], ["red", "blue"], 7, true, null, { red: 1 }, "a".repeat(151), "é"],
]

for (const tenant of CLAIMS) {
  test(`refuses a token whose claim is ${JSON.stringify(tenant)?.slice(0, 40)}, and requests nothing`, async (t) => {
    const { get, sign, tenants } = await start(t)
    const { status, body } = await get(await sign(tenant === undefined ? { other: "red" } : { tenant }))
    assert.deepEqual([status, body.includes("red"), tenants()], [401, false, []])
  })
}

test("refuses a token for a tenant that its entry does not list", async (t) => {
  const { get, sign, tenants } = await start(t)
  assert.equal((await get(await sign({ tenant: "green" }, "listed"))).status, 401)
  assert.deepEqual(tenants(), [])
  assert.equal((await get(await sign({ tenant: "blue" }, "listed"))).status, 200)
  assert.deepEqual(tenants(), ["blue"])
})

test("refuses a token that has expired or is not valid yet, beyond a tolerance of 30 s, and requests nothing", async (t) => {
  const { get, sign, tenants } = await start(t)
  const at = NOW / 1000
  for (const claims of [{ exp: at - 31 }, { exp: 0 }, { exp: undefined }, { nbf: at + 31 }, { nbf: at + 1e9 }]) {
    const { status } = await get(await sign({ tenant: "red", ...claims }))
    assert.deepEqual([claims, status, tenants()], [claims, 401, []])
  }
  assert.equal((await get(await sign({ tenant: "red", exp: at - 29, nbf: at + 29 }))).status, 200)
})

test("a claim that is called __proto__ is one of the token, and no property of every object", async (t) => {
  const { get, sign, tenants } = await start(t)
  const claimed = JSON.parse('{"__proto__": "red"}') as Readonly<Record<string, unknown>>
  for (const claims of [{}, { tenant: "red" }, JSON.parse('{"__proto__": {"tenant": "red"}}') as object]) {
    assert.equal((await get(await sign({ ...claims }, "proto"))).status, 401)
  }
  assert.deepEqual(tenants(), [])
  assert.equal((await get(await sign(claimed, "proto"))).status, 200)
  assert.deepEqual(tenants(), ["red"])
  assert.equal(({} as { red?: unknown }).red, undefined)
})

test("series of several tenants differ by tenant_id, and what has that label keeps it as exported_tenant_id", async (t) => {
  const { get, tenants } = await start(t)
  const { status, body } = await get(TOKEN)
  assert.deepEqual(
    [status, series(body).toSorted(), tenants().toSorted()],
    [
      200,
      [
        'up{exported_tenant_id="forged",tenant_id="blue",instance=""} 2',
        'up{exported_tenant_id="forged",tenant_id="red",instance=""} 2',
        'up{of="blue",tenant_id="blue",instance=""} 1',
        'up{of="red",tenant_id="red",instance=""} 1',
      ],
      ["blue", "red"],
    ],
  )
})

test("a tenant that has used up its limit takes nothing from another of the same issuer", async (t) => {
  const { get, sign, exposition } = await start(t, ", limits: {requests_per_second: 0.001}")
  const [red, blue] = [await sign({ tenant: "red" }), await sign({ tenant: "blue" })]
  const again = await sign({ tenant: "red", jti: "another token" })
  const statuses = []
  for (const token of [red, red, again, blue]) statuses.push((await get(token)).status)
  assert.deepEqual(statuses, [200, 429, 429, 200])
  const { body } = await get(red)
  assert.match(body, /^open\/red may send 0\.001 requests a second at most/)
  // as many series as entries, whatever tokens claim
  const clients = (await exposition.metrics("requests_total")).map((line) => /client="([^"]*)"/.exec(line)?.[1])
  assert.deepEqual([...new Set(clients)], ["open"])
})
