import assert from "node:assert/strict"
import { generateKeyPairSync } from "node:crypto"
import { type TestContext, test } from "node:test"
import { SignJWT } from "jose"
import { pino } from "pino"
import { Agent, request } from "undici"
import { makeAuthority } from "../../../dev/testing/certificates.ts"
import { temporaryFolder } from "../../../dev/testing/folder.ts"
import { until } from "../../../dev/testing/until.ts"
import { SHARED, startTestProxy, startUpstream } from "../testing.ts"
import { policyFile } from "./load.ts"

const E = encodeURIComponent
const authority = makeAuthority("authority")

/** A proxy over TLS that knows a certificate and an issuer, before an upstream that keeps what it received. */
async function start(t: TestContext) {
  const folder = temporaryFolder(t)
  const upstream = await startUpstream(t)
  const issued = authority.issue({ name: "site", sans: ["IP:127.0.0.1"] })
  for (const [name, text] of Object.entries({ ...issued, ca: authority.cert })) await folder.write(`${name}.pem`, text)
  const webConfigFile = await folder.write(
    "web.yaml",
    "tls_server_config: {cert_file: cert.pem, key_file: key.pem, client_ca_file: ca.pem, client_auth_type: VerifyClientCertIfGiven}\n",
  )
  const { publicKey, privateKey } = generateKeyPairSync("ed25519")
  const damaged = { kty: "EC", crv: "P-256", x: "AAAA", y: "AAAA", kid: "damaged" }
  await folder.write("jwks.json", JSON.stringify({ keys: [publicKey.export({ format: "jwk" }), damaged] }))
  const file = await folder.write(
    "policy.yaml",
    `upstreams: ["${upstream.url}"]
reuse: 0
certificates:
  - {name: partner, san: "URI:spiffe://partner", match: ['{job="node"}', '{job="other",x=~"y.*"}'], enforce: true}
jwt:
  - {name: central, issuer: i, audience: a, jwks: {file: jwks.json}, match: ['${SHARED}']}
`,
  )
  const log = pino({ enabled: false })
  const policy = policyFile(file, { env: {}, now: () => new Date(), log })
  const proxy = await startTestProxy(t, upstream.url, { policy, webConfigFile })
  const scrape = async (
    match: string,
    client: { readonly cert?: string; readonly key?: string; readonly token?: string },
  ) => {
    const { token, ...certificate } = client
    const agent = new Agent({ connect: { ca: authority.cert, ...certificate } })
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
    const url = `https://127.0.0.1:${proxy.port}/federate?match[]=${E(match)}`
    try {
      const { statusCode, body } = await request(url, { dispatcher: agent, headers })
      return [statusCode, await body.text()] as const
    } finally {
      await agent.destroy()
    }
  }
  const requested = () => upstream.received.map(({ url }) => new URLSearchParams(url.split("?")[1]).getAll("match[]"))
  const sign = (claims: Readonly<Record<string, unknown>>) =>
    new SignJWT({ iss: "i", aud: "a", sub: "replica 1", ...claims })
      .setProtectedHeader({ alg: "EdDSA" })
      .setExpirationTime("5m")
      .sign(privateKey)
  return { proxy, scrape, requested, sign }
}

test("a client certificate reads what its rule shares, and the matchers are added upstream", async (t) => {
  const { scrape, requested } = await start(t)
  const [status] = await scrape("up", authority.issue({ name: "x", sans: ["URI:spiffe://partner"] }))
  assert.deepEqual(
    [status, requested()],
    [200, [['{__name__="up",job="node"}', '{__name__="up",job="other",x=~"y.*"}']]],
  )
})

test("a certificate that no rule names is 401, as is none", async (t) => {
  const { scrape, requested } = await start(t)
  assert.equal((await scrape("up", authority.issue({ name: "x", sans: ["URI:spiffe://other"] })))[0], 401)
  assert.equal((await scrape("up", {}))[0], 401)
  assert.deepEqual(requested(), [])
})

/** Every response until one of them is `throttled`: sent at once, and as often as it takes, as what comes slowly is not. */
async function untilThrottled<T extends string | number>(send: () => Promise<T>, throttled: T): Promise<readonly T[]> {
  const seen = new Set<T>()
  await until("the throttle", async () => {
    for (const one of await Promise.all(Array.from({ length: 40 }, send))) seen.add(one)
    return seen.has(throttled)
  })
  return [...seen].toSorted((a, b) => String(a).localeCompare(String(b)))
}

test("a refused certificate's connection is closed, by the throttle too: on another one the client may have its next", async (t) => {
  const { proxy } = await start(t)
  const certificate = authority.issue({ name: "x", sans: ["URI:spiffe://other"] })
  const agent = new Agent({ connect: { ca: authority.cert, ...certificate } })
  t.after(() => agent.destroy())
  const send = async (): Promise<string> => {
    const { statusCode, headers, body } = await request(`https://127.0.0.1:${proxy.port}/`, { dispatcher: agent })
    await body.dump()
    return `${statusCode} ${String(headers.connection)}`
  }
  assert.deepEqual(await untilThrottled(send, "429 close"), ["401 close", "429 close"])
})

test("a signed token reads what its claim leaves; the log shows its subject and what was not granted", async (t) => {
  const { proxy, scrape, requested, sign } = await start(t)
  const mine = '{__name__="project_vcpu_usage",job="project_usages"}'
  const token = await sign({ match: [mine, "up"] })
  assert.equal((await scrape(mine, { token }))[0], 200)
  assert.deepEqual(await scrape(SHARED, { token }), [
    403,
    `The selector ${SHARED} is not shared with central: it selects __name__="project__usage". Shared: ${mine}. Request only what is shared, or have more shared.\n`,
  ])
  assert.deepEqual(requested(), [[mine]])
  const [line] = await proxy.requests(2)
  const logged = [line?.client, line?.subject, line?.not_granted]
  assert.deepEqual(logged, ["central", "replica 1", '{__name__="up"} of the token is beyond what its issuer may grant'])
  assert.equal(proxy.log().includes(token), false)
})

test("a token of a damaged key is 401 and throttled, the operator learns of the key, and the others are used", async (t) => {
  const { proxy, scrape, sign } = await start(t)
  const parts = [
    { alg: "ES256", kid: "damaged" },
    { iss: "i", aud: "a", exp: 4_000_000_000 },
  ]
  const [header, payload] = parts.map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
  let forged = 0
  const send = async (): Promise<number> => {
    const signature = Buffer.alloc(64, forged++).toString("base64url")
    return (await scrape(SHARED, { token: `${header}.${payload}.${signature}` }))[0]
  }
  assert.deepEqual(await untilThrottled(send, 429), [401, 429])
  assert.equal((await scrape(SHARED, { token: await sign({}) }))[0], 200)
  assert.match(
    proxy.log(),
    /"where":"[^"]+jwt\[0\]\.jwks\.file","reason":"jwks\.json: keys\[1\] \(kid \\"damaged\\"\) is damaged: /,
  )
})

test("a wrong token is 401, and only the log shows why", async (t) => {
  const { proxy, scrape, sign } = await start(t)
  const expected = "A valid token is needed, as the header 'Authorization: Bearer TOKEN'.\n"
  assert.deepEqual(await scrape(SHARED, { token: await sign({ aud: "b" }) }), [401, expected])
  const [line] = await proxy.requests(1)
  assert.equal(line?.detail, 'a token of central: unexpected "aud" claim value')
})
