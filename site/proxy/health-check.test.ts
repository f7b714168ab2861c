import assert from "node:assert/strict"
import { once } from "node:events"
import { connect } from "node:net"
import { type TestContext, test } from "node:test"
import { connect as connectTls } from "node:tls"
import { makeAuthority } from "../../dev/testing/certificates.ts"
import { temporaryFolder } from "../../dev/testing/folder.ts"
import { sendRaw } from "../../dev/testing/send-raw.ts"
import { BEARER, startTestProxy, startUpstream, type TestProxy } from "./testing.ts"

async function start(t: TestContext) {
  const upstream = await startUpstream(t)
  return { upstream, proxy: await startTestProxy(t, upstream.url) }
}

/** What the proxy counted of requests and health checks, without times. */
async function counted({ adminUrl }: TestProxy): Promise<readonly string[]> {
  const text = await (await fetch(`${adminUrl}/metrics`)).text()
  return text.match(/^fedstack_proxy_(?:requests|health_checks)_total.*$/gm) ?? []
}

const NO_DATE = /^date: .*\r\n/gim
const OPEN = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nConnection: close\r\n\r\n"

for (const [title, bytes] of [
  ["GET", "GET /-/healthy HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"],
  ["GET for readiness", "GET /-/ready HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"],
  ["HEAD", "HEAD /-/healthy HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"],
  ["OPTIONS", "OPTIONS /-/healthy HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"],
  ["HTTP/1.0 without a host, as HAProxy sends it", "GET /-/healthy HTTP/1.0\r\n\r\n"],
  ["a wrong token", "GET /-/healthy HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer x\r\nConnection: close\r\n\r\n"],
] as const) {
  test(`responds to a health check by ${title} with nothing but 200`, async (t) => {
    const { upstream, proxy } = await start(t)
    assert.equal((await sendRaw(proxy.port, bytes)).replace(NO_DATE, ""), OPEN)
    assert.deepEqual(await counted(proxy), ["fedstack_proxy_health_checks_total 1"])
    assert.deepEqual(upstream.received, [])
    assert.doesNotMatch(proxy.log(), /"msg":"request"/)
  })
}

for (const target of [
  ...["/-/healthy/", "//-/healthy", "/-/healthy?", "/-/healthy?x=y", "/-/%68ealthy", "/-/HEALTHY", "/x/../-/healthy"],
  ...["/-/reload", "/-/quit", "/healthz", "/metrics", "/", "*", "http://a/-/healthy", "/-/healthy#/federate"],
]) {
  test(`takes ${target} for no health check`, async (t) => {
    const { proxy } = await start(t)
    const response = await sendRaw(proxy.port, `GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)
    assert.match(response, /^HTTP\/1\.1 40[01] /)
    assert.match((await counted(proxy)).join("\n"), /^fedstack_proxy_health_checks_total 0$/m)
  })
}

for (const method of ["POST", "PUT", "DELETE", "TRACE"]) {
  test(`takes ${method} for no health check`, async (t) => {
    const { proxy } = await start(t)
    const response = await sendRaw(proxy.port, `${method} /-/ready HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)
    assert.match(response, /^HTTP\/1\.1 401 /)
  })
}

for (const [title, rest] of [
  ["a body", "Content-Length: 2\r\n\r\n{}"],
  ["a chunked body", "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
] as const) {
  test(`takes a request with ${title} for no health check`, async (t) => {
    const { proxy } = await start(t)
    const head = "GET /-/healthy HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
    assert.match(await sendRaw(proxy.port, head + rest), /^HTTP\/1\.1 401 /)
  })
}

test("responds to a health check whatever Prometheus does", async (t) => {
  const proxy = await startTestProxy(t, "http://127.0.0.1:1")
  assert.equal((await fetch(`${proxy.url}/-/ready`)).status, 200)
  assert.equal((await fetch(`${proxy.url}/federate?match[]=up`, { headers: BEARER })).status, 403)
})

test("goes on to respond to health checks while their address is throttled for wrong tokens", async (t) => {
  const { proxy } = await start(t)
  const statuses = new Set<number>()
  for (let i = 0; i < 40; i++) statuses.add((await fetch(`${proxy.url}/federate`)).status)
  assert.deepEqual(statuses, new Set([401, 429]))
  for (let i = 0; i < 40; i++) assert.equal((await fetch(`${proxy.url}/-/healthy`)).status, 200)
})

test("takes a connection without a request for a health check that leaves no trace", async (t) => {
  const { proxy } = await start(t)
  for (let i = 0; i < 20; i++) {
    const socket = connect(proxy.port, "127.0.0.1")
    await once(socket, "connect")
    if (i % 2 === 0) socket.resetAndDestroy()
    else socket.end()
    await once(socket, "close")
  }
  assert.deepEqual(await counted(proxy), ["fedstack_proxy_health_checks_total 0"])
  assert.doesNotMatch(proxy.log(), /"level":"(?:warn|error)"/)
})

const WEB = `tls_server_config:
  cert_file: cert.pem
  key_file: key.pem
  client_ca_file: ca.pem
  client_auth_type: VerifyClientCertIfGiven
`

test("responds to a health check over TLS without a client certificate, and to a handshake alone", async (t) => {
  const files = temporaryFolder(t)
  const authority = makeAuthority("authority")
  const { cert, key } = authority.issue({ name: "site", sans: ["IP:127.0.0.1"] })
  for (const [name, text] of Object.entries({ cert, key, ca: authority.cert })) await files.write(`${name}.pem`, text)
  const { url } = await startUpstream(t)
  const proxy = await startTestProxy(t, url, { webConfigFile: await files.write("web.yml", WEB) })
  const open = async () => {
    const socket = connectTls({ port: proxy.port, host: "127.0.0.1", ca: authority.cert })
    await once(socket, "secureConnect")
    return socket
  }
  const handshake = await open()
  handshake.end()
  await once(handshake, "close")
  const check = await open()
  check.end("GET /-/healthy HTTP/1.0\r\n\r\n")
  const [chunk] = (await once(check, "data")) as [Buffer]
  assert.match(chunk.toString(), /^HTTP\/1\.1 200 OK\r\n/)
  assert.deepEqual(await counted(proxy), ["fedstack_proxy_health_checks_total 1"])
  assert.doesNotMatch(proxy.log(), /"level":"(?:warn|error)"/)
})
