import assert from "node:assert/strict"
import { generateKeyPairSync } from "node:crypto"
import { type TestContext, test } from "node:test"
import { SignJWT } from "jose"
import { pino } from "pino"
import { sha256 } from "#core/auth/secrets.ts"
import { temporaryFolder } from "../../dev/testing/folder.ts"
import { policyFile } from "./policy/load.ts"
import { BEARER, SHARED, startTestProxy, startUpstream, TOKEN } from "./testing.ts"

const hard = (index: number): string =>
  `{job="project_usages",__name__=~"project_.*a.{400}b.{300}_usage",x!="${index}"}`

/** A proxy that knows one token and an issuer; `milliseconds`: its clock for what is limited by time. */
async function start(t: TestContext, milliseconds?: () => number) {
  const folder = temporaryFolder(t)
  const upstream = await startUpstream(t)
  const { publicKey, privateKey } = generateKeyPairSync("ed25519")
  await folder.write("jwks.json", JSON.stringify({ keys: [publicKey.export({ format: "jwk" })] }))
  const file = await folder.write(
    "policy.yaml",
    `upstreams: ["${upstream.url}"]
tokens: [{name: portal, sha256: ${sha256(TOKEN).toString("hex")}, match: ['${SHARED}']}]
jwt: [{name: central, issuer: i, audience: a, jwks: {file: jwks.json}, match: ['${SHARED}'], limits: {concurrent: 1}}]
`,
  )
  const policy = policyFile(file, { env: {}, now: () => new Date(), log: pino({ enabled: false }) })
  const proxy = await startTestProxy(t, upstream.url, { policy, ...(milliseconds && { milliseconds }) })
  const send = async (authorization: string, selector = SHARED) => {
    const target = `${proxy.url}/federate?match[]=${encodeURIComponent(selector)}`
    const response = await fetch(target, { headers: { authorization } })
    return [response.status, await response.text()] as const
  }
  const sign = async (claims: Readonly<Record<string, unknown>>): Promise<string> => {
    const token = new SignJWT({ iss: "i", aud: "a", ...claims }).setProtectedHeader({ alg: "EdDSA" })
    return `Bearer ${await token.setExpirationTime("5m").sign(privateKey)}`
  }
  return { send, sign }
}

test("serves others while a token's claims are decided, which the client pays for and has in flight", async (t) => {
  const { send, sign } = await start(t)
  await send(BEARER.authorization) // the proxy is warm
  const token = await sign({ match: [...Array.from({ length: 40 }, (_, index) => hard(index)), SHARED] })
  let over = false
  const decided = send(token).then((result) => {
    over = true
    return result
  })
  for (let i = 0; i < 10; i++) {
    const [status] = await send(BEARER.authorization)
    assert.deepEqual([status, over], [200, false])
  }
  assert.deepEqual(await send(token), [
    429,
    "central may have 1 request in flight at once; retry when one has ended.\n",
  ])
  const expected =
    "It took too long to decide about the selectors that central requested; request fewer new ones, or retry later.\n"
  assert.deepEqual(await decided, [429, expected])
  assert.deepEqual(await send(await sign({ match: "up" })), [429, expected], "other claims have to wait, too")
  assert.equal((await send(await sign({})))[0], 429, "and new selectors without any")
})

test("goes on where it stopped when a token with hard claims comes again, and then knows them", async (t) => {
  let time = 0
  const { send, sign } = await start(t, () => time)
  const token = await sign({ match: [hard(1), hard(2), hard(3), SHARED] })
  let [status, text] = await send(token)
  for (let i = 0; i < 10 && status === 429; i++) {
    time += 60_000
    ;[status, text] = await send(token)
  }
  assert.deepEqual([status, text], [200, "project_vcpu_usage 1 1\n"])
  const [refused, reason] = await send(token, hard(1))
  assert.equal(refused, 403)
  assert.match(reason, / Shared: \{__name__=~"project_\.\*_usage",job="project_usages"\}\. /)
})
