import assert from "node:assert/strict"
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http"
import { createServer as createSecureServer } from "node:https"
import { join } from "node:path"
import { text } from "node:stream/consumers"
import { test, type TestContext } from "node:test"
import type { TLSSocket } from "node:tls"
import { ConfigurationError } from "#core/errors.ts"
import { makeAuthority } from "../../dev/testing/certificates.ts"
import { temporaryFolder } from "../../dev/testing/folder.ts"
import { listen } from "../../dev/testing/listen.ts"
import { checkSites } from "./check.ts"

const authority = makeAuthority("authority")
const ofSite = authority.issue({ name: "site", sans: ["IP:127.0.0.1"] })
const ofPortal = authority.issue({ name: "portal" })

type Respond = (incoming: IncomingMessage, response: ServerResponse) => void

/** The rows on what came of the request, and the faults, of one site with these keys beside its name. */
async function connect(t: TestContext, keys: string): Promise<readonly string[]> {
  const folder = temporaryFolder(t)
  const files = {
    token: "s3cret-token\n",
    password: "s3cret pass",
    short: "o",
    "ca.pem": authority.cert,
    "own.pem": ofPortal.cert,
    "own.key": ofPortal.key,
    "sites.yaml": `sites: [{name: a, match: [up], timeout: 2s, ${keys}}]\n`,
  }
  for (const [name, content] of Object.entries(files)) await folder.write(name, content)
  let printed = ""
  const context = { print: (part: string) => (printed += part), env: {}, signal: new AbortController().signal }
  let faults = ""
  try {
    await checkSites(join(folder.path, "sites.yaml"), context, true)
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    faults = error.message.replace(/^.*sites\.yaml:1:9 sites\[0\]: a does not deliver: /, "fault    ")
  }
  assert.doesNotMatch(printed + faults, /s3cret/)
  const rows = printed.match(/^ {2}(?:delivers|fails|warning) .*$/gm) ?? []
  return [...rows.map((row) => row.trim().replace(/in \d\.\d\ds$/, "in SECONDS")), ...(faults === "" ? [] : [faults])]
}

const site = async (t: TestContext, respond: Respond): Promise<string> =>
  `url: "http://127.0.0.1:${await listen(t, createServer(respond))}"`

const deliver = (response: ServerResponse, exposition = "up 1 1\n"): void =>
  void response.setHeader("content-type", "text/plain; version=0.0.4").end(exposition)
const onlyWith =
  (authorization: string): Respond =>
  (incoming, response) =>
    incoming.headers.authorization === authorization && incoming.url === "/federate?match[]=up"
      ? deliver(response)
      : response.writeHead(401).end(`not ${incoming.headers.authorization ?? "known"}\nmore`)

const base64 = (value: string): string => Buffer.from(value).toString("base64")
const ONE = "delivers 1 series in SECONDS"
const NOT_ACCEPTED = "401: the site does not accept the credentials"

for (const [kind, authorization, keys, sent] of [
  ["token", "Bearer s3cret-token", "token: {file: token}", "Bearer …"],
  ["basic_auth", `Basic ${base64("u:s3cret pass")}`, "basic_auth: {username: u, password_file: password}", "Basic …"],
  ["authorization", "Token s3cret pass", "authorization: {type: Token, credentials_file: password}", "Token …"],
] as const) {
  test(`${kind} is tried: accepted, and refused with what the site says, without the secret`, async (t) => {
    assert.deepEqual(await connect(t, `${await site(t, onlyWith(authorization))}, ${keys}`), [ONE])
    const reason = `${NOT_ACCEPTED} ("not ${sent}")`
    assert.deepEqual(await connect(t, `${await site(t, onlyWith("other"))}, ${keys}`), [
      `fails    ${reason}`,
      `fault    ${reason}`,
    ])
  })
}

test("oauth2 is tried: a token is requested and sent, and what the token server says is reported", async (t) => {
  const login: Respond = (incoming, response) =>
    void text(incoming).then((body) => {
      const expected = "grant_type=client_credentials&scope=a+b&audience=x"
      const known = incoming.headers.authorization === `Basic ${base64("c:s3cret+pass")}` && body === expected
      if (incoming.url === "/silent") return
      response.writeHead(known ? 200 : 400, { "content-type": "application/json" })
      response.end(
        JSON.stringify(
          !known ? { error: "invalid_client" } : incoming.url === "/empty" ? {} : { access_token: "issued-s3cret" },
        ),
      )
    })
  const server = `http://127.0.0.1:${await listen(t, createServer(login))}`
  const keys = (path: string, params = "{audience: x}") =>
    `oauth2: {client_id: c, client_secret_file: password, token_url: "${server}${path}", scopes: [a, b], endpoint_params: ${params}}`
  const url = await site(t, onlyWith("Bearer issued-s3cret"))
  assert.deepEqual(await connect(t, `${url}, ${keys("/token")}`), [ONE])
  for (const [oauth2, reason] of [
    [keys("/token", "{audience: y}"), `the token server ${server}: it responds with 400 ("invalid_client")`],
    [keys("/empty"), `the token server ${server}: it responds without an access_token`],
    [keys("/silent"), `the token server ${server}: no whole response within 2 s`],
  ] as const) {
    assert.deepEqual(await connect(t, `${url}, ${oauth2}`), [`fails    ${reason}`, `fault    ${reason}`])
  }
})

test("a client certificate is tried, and TLS failures are named", async (t) => {
  const respond: Respond = (incoming, response) => {
    const { subject } = (incoming.socket as TLSSocket).getPeerCertificate()
    if (subject?.CN === "portal") deliver(response)
    else response.writeHead(401).end()
  }
  const options = { ...ofSite, ca: authority.cert, requestCert: true, rejectUnauthorized: false }
  const url = `url: "https://127.0.0.1:${await listen(t, createSecureServer(options, respond))}"`
  assert.deepEqual(await connect(t, `${url}, tls: {ca_file: ca.pem, cert_file: own.pem, key_file: own.key}`), [ONE])
  for (const [keys, reason] of [
    ["token: {file: token}, tls: {ca_file: ca.pem}", NOT_ACCEPTED],
    [
      "tls: {cert_file: own.pem, key_file: own.key}",
      "the certificate is of an unknown authority: self-signed certificate in certificate chain",
    ],
  ] as const) {
    assert.deepEqual(await connect(t, `${url}, ${keys}`), [`fails    ${reason}`, `fault    ${reason}`])
  }
})

test("a secret that stands in any text by chance leaves the reason as it is", async (t) => {
  const url = await site(t, (_, response) => response.writeHead(404).end("not found"))
  const reason =
    '404: nothing is served there; url needs the prefix of the site\'s proxy, without /federate ("not found")'
  assert.deepEqual(await connect(t, `${url}, token: {file: short}`), [`fails    ${reason}`, `fault    ${reason}`])
})

test("a forward proxy is used, and named where it is not there", async (t) => {
  const through: string[] = []
  const forward: Respond = (incoming, response) => {
    through.push(incoming.url ?? "")
    request(incoming.url ?? "", { headers: incoming.headers }, (forwarded) =>
      forwarded.pipe(response.writeHead(forwarded.statusCode ?? 500, forwarded.headers)),
    ).end()
  }
  const url = await site(t, onlyWith("Bearer s3cret-token"))
  const proxy = await listen(t, createServer(forward))
  assert.deepEqual(await connect(t, `${url}, token: {file: token}, proxy_url: "http://127.0.0.1:${proxy}"`), [ONE])
  assert.deepEqual(through.length, 1)
  const [fails] = await connect(t, `${url}, token: {file: token}, proxy_url: "http://127.0.0.1:1"`)
  assert.match(fails ?? "", /^fails {4}the connection was refused/)
})

for (const [what, respond, reason] of [
  [
    "a redirect",
    (_, response) => response.writeHead(302, { location: "https://login.example.org/" }).end(),
    "it redirects (302) to https://login.example.org/, which Prometheus is not to follow",
  ],
  [
    "a page",
    (_, response) => response.setHeader("content-type", "text/html").end("<html>"),
    "it responds with text/html, which is not what Prometheus exposes",
  ],
  [
    "403 with escape sequences",
    (_, response) => response.writeHead(403).end("\u001B[31mup is not shared\u202E"),
    '403: the site does not share what is requested, or not with these credentials (" [31mup is not shared ")',
  ],
] as const satisfies readonly (readonly [string, Respond, string])[]) {
  test(`${what} in place of series is reported`, async (t) => {
    assert.deepEqual(await connect(t, `${await site(t, respond)}, token: {file: token}`), [
      `fails    ${reason}`,
      `fault    ${reason}`,
    ])
  })
}

test("series that only dropped labels tell apart are counted", async (t) => {
  const exposition = ["a", "b"]
    .flatMap((replica) => [1, 2].map((cpu) => `x{cpu="${cpu}",replica="${replica}",pod_id="${replica}\\"}"} 1 1`))
    .join("\n")
  const url = await site(t, (_, response) => deliver(response, `# TYPE x untyped\n${exposition}\n`))
  const four = "delivers 4 series in SECONDS"
  const lost = "warning  2 series differ from another by dropped labels alone: Prometheus keeps samples of one"
  for (const [keys, expected] of [
    ["drop_labels: [replica]", [four]],
    ["drop_labels: [replica, pod_id]", [four, lost]],
    ["drop_labels: [replica], metric_relabel_configs: [{action: labeldrop, regex: pod_.*}]", [four, lost]],
    ["metric_relabel_configs: [{action: labeldrop, regex: pod}]", [four]],
    // versions of Unicode differ in it: what it drops is not known
    ["metric_relabel_configs: [{action: labeldrop, regex: '\\p{Greek}'}]", [four]],
    ["drop_labels: [replica], metric_relabel_configs: [{action: drop, source_labels: [cpu], regex: pod_.*}]", [four]],
  ] as const) {
    assert.deepEqual(await connect(t, `${url}, token: {file: token}, ${keys}`), expected)
  }
})
