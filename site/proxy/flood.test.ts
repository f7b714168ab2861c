import assert from "node:assert/strict"
import { generateKeyPairSync, randomBytes } from "node:crypto"
import { type TestContext, test } from "node:test"
import { SignJWT } from "jose"
import { pino } from "pino"
import { Agent, request } from "undici"
import { temporaryFolder } from "../../dev/testing/folder.ts"
import { policyFile } from "./policy/load.ts"
import { sha256 } from "#core/auth/secrets.ts"
import { sendRaw } from "../../dev/testing/send-raw.ts"
import { QUERY, SHARED, startTestProxy, startUpstream, TOKEN } from "./testing.ts"

const ISSUER = "https://portal.example.org"

/** A proxy that knows one token and one issuer, for which no time passes, however long a flood takes. */
async function start(t: TestContext) {
  const folder = temporaryFolder(t)
  const upstream = await startUpstream(t)
  const keys = generateKeyPairSync("ec", { namedCurve: "P-256" })
  await folder.write("jwks.json", JSON.stringify({ keys: [{ ...keys.publicKey.export({ format: "jwk" }), kid: "a" }] }))
  const file = await folder.write(
    "policy.yaml",
    `upstreams: ["${upstream.url}"]
limits: {requests_per_second: 100000}
tokens: [{name: portal, sha256: ${sha256(TOKEN).toString("hex")}, match: ['${SHARED}']}]
jwt: [{name: central, issuer: "${ISSUER}", audience: site-a, jwks: {file: jwks.json}, match: ['${SHARED}']}]
`,
  )
  const policy = policyFile(file, { env: {}, now: () => new Date(), log: pino({ enabled: false }) })
  const proxy = await startTestProxy(t, upstream.url, { policy, milliseconds: () => 0 })
  const agent = (): Agent => {
    const made = new Agent({ connections: 1, pipelining: 1 })
    t.after(() => made.destroy())
    return made
  }
  const send = async (token: string, dispatcher: Agent) => {
    const headers = { authorization: `Bearer ${token}` }
    const response = await request(`${proxy.url}/federate?${QUERY}`, { dispatcher, headers })
    return { status: response.statusCode, text: await response.body.text(), headers: response.headers }
  }
  const claims = (serial: number) =>
    new SignJWT({ serial })
      .setProtectedHeader({ alg: "ES256", kid: "a" })
      .setIssuer(ISSUER)
      .setAudience("site-a")
      .setExpirationTime("1h")
  const issue = (serial: number): Promise<string> => claims(serial).sign(keys.privateKey)
  const forge = async (serial: number): Promise<string> =>
    (await issue(serial)).replace(/[^.]+$/, randomBytes(64).toString("base64url"))
  return { proxy, agent, send, issue, forge }
}

test("a flood of wrong tokens is refused, and a right one from the same address is not", async (t) => {
  const { proxy, agent, send } = await start(t)
  const flooder = agent()
  const responses: Awaited<ReturnType<typeof send>>[] = []
  for (let i = 0; i < 200; i++) responses.push(await send(`wrong-${i}`, flooder))
  assert.deepEqual([...new Set(responses.map(({ status }) => status))], [401, 429])
  assert.equal((await send(TOKEN, agent())).status, 200)
  const refused = responses.filter(({ status }) => status === 429)
  const { text, headers } = refused[0] ?? {}
  assert.deepEqual([text, headers?.["retry-after"]], ["Too many requests without a valid token.\n", "1"])
  const metrics = await (await fetch(`${proxy.adminUrl}/metrics`)).text()
  const counted = /requests_total\{client="",code="429",reason="too_many_failures"\} (\d+)/.exec(metrics)?.[1]
  assert.equal(Number(counted), refused.length)
})

test("a client whose token is verified keeps its access through a flood of forged ones, and renews its token", async (t) => {
  const { agent, send, issue, forge } = await start(t)
  const [rightful, flooder] = [agent(), agent()]
  const token = await issue(-1)
  assert.equal((await send(token, rightful)).status, 200)
  let last = 0
  for (let i = 0; i < 200; i++) last = (await send(await forge(i), flooder)).status
  assert.equal(last, 429)
  assert.equal(
    (await send(await issue(-2), flooder)).status,
    429,
    "a new token on the flooder's connection is not looked at",
  )
  assert.equal((await send(token, agent())).status, 200, "a known token is, on any")
  assert.equal((await send(await issue(-3), rightful)).status, 200, "and a new one where there was a known one")
})

test("a pipelined flood gets its responses in order, the valid token in its place", async (t) => {
  const { proxy } = await start(t)
  const line = (token: string, more = ""): string =>
    `GET /federate?${QUERY.replaceAll("'", "%27")} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\n${more}\r\n`
  const flood = Array.from({ length: 60 }, (_, index) => line(`wrong-${index}`)).join("")
  const responses = await sendRaw(proxy.port, `${flood}${line(TOKEN)}${line("wrong", "Connection: close\r\n")}`)
  const statuses = [...responses.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)
  assert.equal(statuses.length, 62)
  assert.deepEqual(statuses.slice(-3), ["429", "200", "429"])
})
