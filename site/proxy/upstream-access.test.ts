import assert from "node:assert/strict"
import { createServer, type ServerOptions } from "node:https"
import { test, type TestContext } from "node:test"
import type { TLSSocket } from "node:tls"
import { makeAuthority } from "../../dev/testing/certificates.ts"
import { temporaryFolder } from "../../dev/testing/folder.ts"
import { listen } from "../../dev/testing/listen.ts"
import { until } from "../../dev/testing/until.ts"
import { createLogger } from "#core/log/logger.ts"
import { policyFile } from "./policy/load.ts"
import { describePolicy } from "./policy/describe.ts"
import { faultsOf, load, NOW } from "./policy/testing.ts"
import { ok, scrape, SHARED, startTestProxy, startUpstream, TOKEN } from "./testing.ts"

const authority = makeAuthority("site")
const SERVER = authority.issue({ name: "prometheus", sans: ["IP:127.0.0.1", "DNS:prometheus.example.org"] })
const CLIENT = authority.issue({ name: "proxy" })
const SECRETS = ["t0ken-of-upstream", "pass w\u00f6rd"]

/** An upstream over TLS that responds with how the proxy identified itself; with 401, or another status, where that is not `wanted`. */
async function startSecure(t: TestContext, wanted?: string, options: ServerOptions = {}, status = 401) {
  const server = createServer({ ...SERVER, ca: authority.cert, ...options }, (request, response) => {
    const { authorization = "" } = request.headers
    if (wanted !== undefined && authorization !== wanted) {
      response.writeHead(status).end("no")
      return
    }
    const peer = request.socket as TLSSocket
    const certificate = peer.getPeerCertificate().subject as { CN?: string } | undefined
    const name = Buffer.from(`${authorization} ${certificate?.CN ?? ""}`).toString("hex")
    ok(response).end(`a{by="${name}"} 1\n`)
  })
  return `https://127.0.0.1:${await listen(t, server)}`
}

const by = (text: string): string => `a{by="${Buffer.from(text).toString("hex")}"} 1\n`

async function start(t: TestContext, upstreams: string, reuse = "0") {
  const files = temporaryFolder(t)
  await files.write("ca.pem", authority.cert)
  await files.write("cert.pem", CLIENT.cert)
  await files.write("key.pem", CLIENT.key)
  await files.write("token", `${SECRETS[0]}\n`)
  const client = `tokens: [{name: portal, env: TOKEN, match: ['${SHARED}']}]`
  const write = (text: string) => files.write("policy.yaml", `upstreams:\n${text}\nreuse: ${reuse}\n${client}\n`)
  const file = await write(upstreams)
  const env = { TOKEN, PASSWORD: SECRETS[1] ?? "" }
  const options = {
    log: createLogger({ level: "debug", format: "json" }, "policy", () => undefined),
    now: () => NOW,
    env,
  }
  const proxy = await startTestProxy(t, "http://127.0.0.1:1", { policy: policyFile(file, options) })
  t.after(() => assert.ok(!SECRETS.some((secret) => proxy.log().includes(secret)), "no log shows a secret"))
  return { proxy, write, files }
}

const BASIC = `Basic ${Buffer.from(`fedstack:${SECRETS[1]}`).toString("base64")}`
for (const [title, keys, expected] of [
  ["a token from a file", "token: {file: token}, tls: {ca_file: ca.pem}", `Bearer ${SECRETS[0]} `],
  [
    "a user and a password from a variable",
    "basic_auth: {username: fedstack, password_env: PASSWORD}, tls: {ca_file: ca.pem}",
    `${BASIC} `,
  ],
  ["a client certificate", "tls: {ca_file: ca.pem, cert_file: cert.pem, key_file: key.pem}", " proxy"],
  ["the name that its certificate has", "tls: {ca_file: ca.pem, server_name: prometheus.example.org}", " "],
] as const) {
  test(`sends an upstream ${title}, and trusts the authority of the policy`, async (t) => {
    const url = await startSecure(t, undefined, { requestCert: true, rejectUnauthorized: false })
    const { proxy } = await start(t, `  - {url: "${url}", ${keys}}`)
    assert.deepEqual((await scrape(proxy.url)).body, by(expected))
  })
}

test("trusts no other authority, and only the log says why", async (t) => {
  const url = await startSecure(t)
  const { proxy } = await start(t, `  - ${url}`)
  const { status, body } = await scrape(proxy.url)
  assert.deepEqual([status, body], [502, "The site's Prometheus cannot be reached.\n"])
  assert.match(proxy.log(), /"msg":"Prometheus cannot be reached"/)
})

for (const status of [401, 403]) {
  test(`gives each upstream its own credentials, and tries the next where one refuses them with ${status}`, async (t) => {
    const first = await startSecure(t, "Bearer another", {}, status)
    const second = await startSecure(t, BASIC)
    const { proxy } = await start(
      t,
      `  - {url: "${first}", token: {file: token}, tls: {ca_file: ca.pem}}
  - {url: "${second}", basic_auth: {username: fedstack, password_env: PASSWORD}, tls: {ca_file: ca.pem}}`,
    )
    assert.equal((await scrape(proxy.url)).body, by(`${BASIC} `))
    assert.match(proxy.log(), /Prometheus refuses the proxy; check the credentials of this upstream/)
    const metrics = await (await fetch(`${proxy.adminUrl}/metrics`)).text()
    assert.ok(metrics.includes(`fedstack_proxy_upstream_up{upstream="${first}"} 0\n`), metrics)
  })
}

test("sends no credentials of one upstream to another", async (t) => {
  const plain = await startUpstream(t)
  const { proxy } = await start(
    t,
    `  - {url: "http://127.0.0.1:1", token: {file: token}}
  - {url: "http://127.0.0.1:2", basic_auth: {username: fedstack, password_env: PASSWORD}}
  - ${plain.url}`,
  )
  assert.equal((await scrape(proxy.url)).status, 200)
  assert.equal(plain.received[0]?.rawHeaders.map((name) => name.toLowerCase()).includes("authorization"), false)
})

test("reads a token again when its file changes, and keeps no response of the old one", async (t) => {
  const url = await startSecure(t)
  const { proxy, files } = await start(t, `  - {url: "${url}", token: {file: token}, tls: {ca_file: ca.pem}}`, "5m")
  assert.equal((await scrape(proxy.url)).body, by(`Bearer ${SECRETS[0]} `))
  await files.write("token", "n3w")
  await until("the new token", async () => ((await scrape(proxy.url)).body === by("Bearer n3w ") ? true : undefined))
})

test("shows in a summary how an upstream is reached, without secrets", async (t) => {
  const files = temporaryFolder(t)
  await files.write("ca.pem", authority.cert)
  await files.write("token", SECRETS[0] ?? "")
  const file = await files.write(
    "p.yaml",
    `upstreams: [{url: "https://a:9090", token: {file: token}, tls: {ca_file: ca.pem}}, "http://b:9090"]
tokens: [{name: portal, env: T, match: ['${SHARED}']}]
`,
  )
  const policy = await load(file, { env: { T: "hT5kq0Xw7sPl2Vn8Tb5y" } })
  const [first = ""] = describePolicy("p.yaml", policy, NOW).split("\n")
  assert.match(
    first,
    /upstream https:\/\/a:9090\/federate \(with a token, trusting ca\.pem\), then http:\/\/b:9090\/federate;/,
  )
})

test("names every fault of upstreams at once", async (t) => {
  const files = temporaryFolder(t)
  await files.write("two", "a\nb\n")
  await files.write("ca.pem", "nothing")
  const file = await files.write(
    "p.yaml",
    `upstreams:
  - {url: "https://a", token: {file: absent}, basic_auth: {username: u, password_env: ABSENT}}
  - {url: "http://b", tls: {ca_file: ca.pem}}
  - {url: "https://c", token: {file: two}, tls: {cert_file: ca.pem}}
  - {url: "http://d.example.org", token: {env: T}}
  - http://d.example.org
tokens: [{name: portal, env: T, match: [up]}]
`,
  )
  assert.equal(
    await faultsOf(file, { env: { T: "hT5kq0Xw7sPl2Vn8Tb5y" } }),
    `p.yaml:2:5 upstreams[0]: has token and basic_auth; a request can have one of them
p.yaml:2:32 upstreams[0].token.file: the file absent cannot be read: ENOENT: no such file or directory
p.yaml:3:23 upstreams[1].tls: has no effect with an http:// upstream
p.yaml:3:29 upstreams[1].tls.ca_file: ca.pem holds no certificate in PEM format
p.yaml:4:32 upstreams[2].token.file: two has several lines; it must hold the token and nothing else
p.yaml:4:44 upstreams[2].tls: must have both cert_file and key_file, or neither
p.yaml:4:50 upstreams[2].tls.cert_file: ca.pem holds no certificate in PEM format
p.yaml:4:50 upstreams[2].tls.cert_file: ca.pem holds no private key in PEM format without a passphrase
p.yaml:6:5 upstreams[4]: is listed twice, and only one can have credentials and TLS settings
`,
  )
})

test("warns of credentials that cross the network unencrypted", async (t) => {
  const file = await temporaryFolder(t).write(
    "p.yaml",
    `upstreams: [{url: "http://d.example.org", token: {env: T}}, {url: "http://127.0.0.1:9090", token: {env: T}}]
tokens: [{name: portal, env: T, match: [up]}]
`,
  )
  const { warnings } = await load(file, { env: { T: "hT5kq0Xw7sPl2Vn8Tb5y" } })
  const message = "its credentials cross the network unencrypted: use https://"
  assert.deepEqual(warnings, [{ where: `${file}:1:13 upstreams[0]`, message }])
})

test("names every key of an upstream that is not known or not as it must be", async (t) => {
  const file = await temporaryFolder(t).write(
    "p.yaml",
    `upstreams:
  - {token: {}, tls: {min_version: TLS13, insecure_skip_verify: true}, basic_auth: {username: "a:b", password: x}}
  - {url: "ftp://a", proxy: b}
  - 5
tokens: [{name: portal, env: T, match: [up]}]
`,
  )
  assert.equal(
    await faultsOf(file),
    `p.yaml:2:5 upstreams[0].url: is missing; it must be a URL such as http://prometheus:9090
p.yaml:2:6 upstreams[0].token: must have either file or env
p.yaml:2:85 upstreams[0].basic_auth.username: must hold no colon and no control characters
p.yaml:2:102 upstreams[0].basic_auth.password: must not stand here: put it into a file or a variable, and name that with password_file or password_env
p.yaml:2:23 upstreams[0].tls.min_version: is not known here; TLS 1.2 is the least
p.yaml:2:43 upstreams[0].tls.insecure_skip_verify: unknown key
p.yaml:3:6 upstreams[1].url: must be a URL that starts with http:// or https://
p.yaml:3:22 upstreams[1].proxy: unknown key
p.yaml:4:5 upstreams[2]: must be a URL that starts with http:// or https://
`,
  )
})
