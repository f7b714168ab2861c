import assert from "node:assert/strict"
import { X509Certificate } from "node:crypto"
import { once } from "node:events"
import { writeFile } from "node:fs/promises"
import type { IncomingMessage } from "node:http"
import { Agent, request } from "node:https"
import { join } from "node:path"
import { test, type TestContext } from "node:test"
import { connect, type TLSSocket } from "node:tls"
import { hashSync } from "bcryptjs"
import { Registry } from "prom-client"
import { ConfigurationError } from "#core/errors.ts"
import { createLogger } from "#core/log.ts"
import { serve } from "#core/server.ts"
import { type Certificate, makeAuthority } from "../dev/testing/certificates.ts"
import { temporaryFolder } from "../dev/testing/folder.ts"
import { until } from "../dev/testing/until.ts"

const authority = makeAuthority("Test CA")
const stranger = makeAuthority("Stranger CA")
const sans = ["DNS:localhost", "IP:127.0.0.1"]
const PAIR = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n  client_ca_file: ca.crt\n"
const PLAIN_TLS = "tls_server_config: {cert_file: server.crt, key_file: server.key}\n"

async function start(t: TestContext, yaml: string) {
  const folder = temporaryFolder(t)
  const lines: string[] = []
  const registry = new Registry()
  const pair = authority.issue({ name: "server", sans })
  await folder.write("server.crt", pair.cert)
  await folder.write("server.key", pair.key)
  await folder.write("ca.crt", authority.cert)
  const webConfigFile = await folder.write("web.yml", yaml)
  const serving = await serve({
    addresses: [{ host: "127.0.0.1", port: 0 }],
    webConfigFile,
    registry,
    log: createLogger({ level: "debug", format: "logfmt" }, "test", (line) => lines.push(line)),
    routes: (app) => {
      app.get("/", (_, reply) => reply.send("hello\n"))
    },
  })
  t.after(() => serving.close())
  const port = serving.addresses[0]?.port ?? 0
  return {
    port,
    serving,
    log: () => lines.join("").replaceAll(`${folder.path}/`, ""),
    replace: (name: string, text: string) => writeFile(join(folder.path, name), text),
    shown: async () => (await registry.metrics()).match(/^fedstack_web_certificate_.*$/gm) ?? [],
    successful: async () => /reload_successful\{[^}]*\} (\d)/.exec(await registry.metrics())?.[1],
    get: (client?: Certificate, headers: Record<string, string> = {}, agent?: Agent) =>
      fetchTls(port, client, headers, agent),
  }
}

/** The answer, or the code of the error. */
async function fetchTls(port: number, client: Certificate | undefined, headers: Record<string, string>, agent?: Agent) {
  const sent = request({ host: "127.0.0.1", port, ca: authority.cert, ...client, headers, agent: agent ?? false })
  sent.end()
  try {
    const [response] = (await once(sent, "response")) as [IncomingMessage]
    const body = (await response.setEncoding("utf8").toArray()).join("")
    return { status: response.statusCode, body, headers: response.headers, socket: response.socket as TLSSocket }
  } catch (error) {
    return { status: 0, body: "refused", headers: {}, reason: (error as NodeJS.ErrnoException).code }
  }
}

const shared = authority.issue({ name: "client", sans: ["DNS:portal.example.org", "URI:spiffe://a/portal"] })
const unnamed = authority.issue({ name: "portal.example.org" })
const foreign = stranger.issue({ name: "client", sans: ["DNS:portal.example.org"] })
const old = authority.issue({ name: "client", sans, notAfter: new Date("2020-01-01") })
const clients = { none: undefined, shared, unnamed, foreign, old }

/** Who is served under which policy, with Go's meaning. */
const policies: readonly (readonly [auth: string, served: readonly (keyof typeof clients)[]])[] = [
  ["RequestClientCert", ["none", "shared", "unnamed", "foreign", "old"]],
  ["RequireAnyClientCert", ["shared", "unnamed", "foreign", "old"]],
  ["RequireClientCert", ["shared", "unnamed", "foreign", "old"]],
  ["VerifyClientCertIfGiven", ["none", "shared", "unnamed"]],
  ["RequireAndVerifyClientCert", ["shared", "unnamed"]],
  ["RequireAndVerifyClientCert\n  client_allowed_sans: [x, portal.example.org]", ["shared"]],
  ["RequireAndVerifyClientCert\n  client_allowed_sans: ['spiffe://a/portal']", ["shared"]],
  ["RequireAndVerifyClientCert\n  client_allowed_sans: []", []],
  ["RequireAnyClientCert\n  client_allowed_sans: [127.0.0.1]", ["old"]],
]
for (const [auth, expected] of policies) {
  test(`client certificates with ${auth.replace("\n  ", ", ")}`, async (t) => {
    const { get } = await start(t, `${PAIR}  client_auth_type: ${auth}\n`)
    const served: string[] = []
    for (const [name, client] of Object.entries(clients)) if ((await get(client)).status === 200) served.push(name)
    assert.deepEqual(served, expected)
  })
}

test("without client_auth_type nobody is asked for a certificate", async (t) => {
  const { get } = await start(t, PLAIN_TLS)
  assert.equal((await get(foreign)).body, "hello\n")
})

test("a refused client is named in the log with the reason", async (t) => {
  const { get, log } = await start(t, `${PAIR}  client_auth_type: RequireAnyClientCert\n  client_allowed_sans: [a]\n`)
  assert.equal((await get(shared)).body, "refused")
  assert.match(log(), /msg="client refused" client=127\.0\.0\.1 reason="its certificate has no allowed name"/)
})

test("a request that arrives with the handshake of a refused client does not reach a route", async (t) => {
  const { port } = await start(t, `${PAIR}  client_auth_type: RequireAnyClientCert\n`)
  const socket = connect({ port, host: "127.0.0.1", ca: authority.cert, maxVersion: "TLSv1.3" })
  const received: Buffer[] = []
  socket.on("data", (chunk: Buffer) => received.push(chunk)).on("error", () => undefined)
  socket.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n")
  await new Promise((resolve) => socket.once("close", resolve))
  assert.equal(Buffer.concat(received).toString(), "")
})

test("only the versions asked for are spoken", async (t) => {
  const { get, port } = await start(t, PLAIN_TLS.replace("}", ", min_version: TLS13}"))
  assert.equal((await get()).socket?.getProtocol(), "TLSv1.3")
  const socket = connect({ port, host: "127.0.0.1", ca: authority.cert, maxVersion: "TLSv1.2" })
  const [error] = (await once(socket, "error")) as [NodeJS.ErrnoException]
  assert.equal(error.code, "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION")
})

test("who could speak HTTP/2 too gets HTTP/1.1, and a file that asks for it is told of in the log", async (t) => {
  const { port, log } = await start(t, `${PLAIN_TLS}http_server_config: {http2: true}\n`)
  const socket = connect({ port, host: "127.0.0.1", ca: authority.cert, ALPNProtocols: ["h2", "http/1.1"] })
  await once(socket, "secureConnect")
  assert.equal(socket.alpnProtocol, "http/1.1")
  socket.end("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
  assert.match((await socket.toArray()).join(""), /^HTTP\/1\.1 200 OK\r\n/)
  assert.match(log(), /level=warn .*web\.yml:2:22 http_server_config\.http2: HTTP\/2 is not spoken here/)
})

test("who speaks HTTP/2 alone is refused in the handshake, and without asking in the first line", async (t) => {
  const { port } = await start(t, PLAIN_TLS)
  const alone = connect({ port, host: "127.0.0.1", ca: authority.cert, ALPNProtocols: ["h2"] })
  const [error] = (await once(alone, "error")) as [NodeJS.ErrnoException]
  assert.equal(error.code, "ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL")
  const unasked = connect({ port, host: "127.0.0.1", ca: authority.cert })
  unasked.end("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
  assert.match((await unasked.toArray()).join(""), /^HTTP\/1\.1 400 Bad Request\r\n/)
})

test("plain HTTP on a TLS port gets no answer, and the server goes on", async (t) => {
  const { port, get } = await start(t, PLAIN_TLS)
  await assert.rejects(fetch(`http://127.0.0.1:${port}/`))
  assert.equal((await get()).status, 200)
})

test("the times of the certificate that is shown are in the metrics, and follow its renewal", async (t) => {
  const { port, shown, replace } = await start(t, PLAIN_TLS)
  const expect = async ({ cert }: Certificate): Promise<void> => {
    const { validFromDate, validToDate } = new X509Certificate(cert)
    const linesOf = (name: string, date: Date): string =>
      `fedstack_web_certificate_${name}_timestamp_seconds{listener="127.0.0.1:${port}"} ${date.getTime() / 1000}`
    await until("the certificate in the metrics", async () => {
      assert.deepEqual(await shown(), [linesOf("not_before", validFromDate), linesOf("not_after", validToDate)])
      return true
    })
  }
  const next = authority.issue({ name: "server", sans, notAfter: new Date(Date.now() + 5 * 86_400_000) })
  await replace("server.key", next.key)
  await replace("server.crt", next.cert)
  await expect(next)
})

test("without TLS no certificate is in the metrics", async (t) => {
  assert.deepEqual(await (await start(t, "")).shown(), [])
})

test("a renewed certificate serves new connections while an open one goes on", async (t) => {
  const { get, replace, successful } = await start(t, PLAIN_TLS)
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.after(() => agent.destroy())
  const before = (await get(undefined, {}, agent)).socket
  const serial = before?.getPeerX509Certificate()?.serialNumber
  const next = authority.issue({ name: "server", sans })
  await replace("server.key", next.key)
  await replace("server.crt", next.cert)
  const renewed = await until("the new certificate", async () => {
    const now = (await get()).socket?.getPeerX509Certificate()?.serialNumber
    return now === serial ? undefined : now
  })
  assert.notEqual(renewed, undefined)
  const again = await get(undefined, {}, agent)
  assert.equal(again.socket, before)
  assert.equal(again.body, "hello\n")
  assert.equal(await successful(), "1")
})

test("a new certificate without its key keeps the old pair, and shows in the log and the metric until it is mended", async (t) => {
  const { get, replace, successful, log } = await start(t, PLAIN_TLS)
  const serial = (await get()).socket?.getPeerX509Certificate()?.serialNumber
  const next = authority.issue({ name: "server", sans })
  await replace("server.crt", next.cert)
  await until("the fault to show", async () => ((await successful()) === "0" ? true : undefined))
  assert.equal((await get()).socket?.getPeerX509Certificate()?.serialNumber, serial)
  assert.match(log(), /level=error .*web\.yml:1:44 tls_server_config\.key_file: does not belong to the certificate/)
  await replace("server.key", next.key)
  await until("the fault to be gone", async () => ((await successful()) === "1" ? true : undefined))
  assert.notEqual((await get()).socket?.getPeerX509Certificate()?.serialNumber, serial)
})

test("what can't change while running says so and stays", async (t) => {
  const { get, replace, serving, log } = await start(t, PLAIN_TLS)
  await replace("web.yml", "")
  await serving.reload()
  assert.match(log(), /web\.yml tls_server_config: TLS is turned on or off only by a restart/)
  await replace("web.yml", `${PAIR}  client_auth_type: RequireAndVerifyClientCert\n`)
  await serving.reload()
  assert.match(log(), /client_auth_type: changes only by a restart/)
  assert.equal((await get()).status, 200)
})

test("users are asked for on every path, also on one that is none, and wrong ones learn nothing", async (t) => {
  const { get, port } = await start(t, `${PLAIN_TLS}basic_auth_users: {alice: "${hashSync("right", 4)}"}\n`)
  const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString("base64")}` })
  assert.equal((await get(undefined, basic("alice:right"))).body, "hello\n")
  for (const headers of [{}, basic("alice:wrong"), basic("bob:right")]) {
    const { status, body, headers: answered } = await get(undefined, headers)
    assert.deepEqual(
      { status, body, asks: (answered as Record<string, string>)["www-authenticate"] },
      { status: 401, body: "A user name and password are needed.\n", asks: 'Basic realm="fedstack", charset="UTF-8"' },
    )
  }
  for (const path of ["/none", "//x", "/%zz", "*"]) {
    const socket = connect({ port, host: "127.0.0.1", ca: authority.cert })
    socket.end(`GET ${path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`)
    assert.match((await socket.toArray()).join(""), /^HTTP\/1\.1 401 /)
  }
})

test("headers are on every answer, and the rate is limited; without tls_server_config over plain HTTP", async (t) => {
  const yaml = `http_server_config:
  headers: {X-Content-Type-Options: nosniff, Content-Security-Policy: "default-src 'none'"}
rate_limit: {interval: 1h, burst: 2}
`
  const { port } = await start(t, yaml)
  const answers = []
  for (const path of ["/", "/none", "/"]) {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`)
    const { status, headers } = answer
    answers.push([
      status,
      headers.get("x-content-type-options"),
      headers.get("content-security-policy"),
      headers.get("retry-after"),
      await answer.text(),
    ])
  }
  assert.deepEqual(answers, [
    [200, "nosniff", "default-src 'none'", null, "hello\n"],
    [404, "nosniff", "default-src 'none'", null, "Nothing here.\n"],
    [429, null, null, "1", "Too many requests.\n"],
  ])
})

test("a faulty file is reported before anything listens", async (t) => {
  await assert.rejects(start(t, "tls_server_config: {cert_file: server.crt}\n"), ConfigurationError)
})
