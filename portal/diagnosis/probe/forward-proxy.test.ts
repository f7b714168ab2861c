import assert from "node:assert/strict"
import { createServer, request, type RequestListener } from "node:http"
import { createServer as createSecureServer } from "node:https"
import { connect, type Socket } from "node:net"
import { test, type TestContext } from "node:test"
import { makeAuthority } from "../../../dev/testing/certificates.ts"
import { listen } from "../../../dev/testing/listen.ts"
import { deliver, probed, targetOf } from "./testing.ts"

const authority = makeAuthority("authority")
const certificate = authority.issue({
  ...{ name: "site", sans: ["DNS:site-a.example.org"] },
  ...{ notBefore: new Date("2026-01-01T00:00:00Z"), notAfter: new Date("2100-01-01T00:00:00Z") },
})

/** A forward proxy that leads every host to this port of loopback, or gives a status; with what was requested of it. */
async function startProxy(t: TestContext, to: number, status = 200) {
  const requests: string[] = []
  const forward: RequestListener = (incoming, response) => {
    requests.push(`${incoming.method} ${incoming.url}`)
    if (status !== 200) {
      response.writeHead(status).end()
      return
    }
    const onward = request({ host: "127.0.0.1", port: to, path: incoming.url, headers: incoming.headers }, (passed) =>
      passed.pipe(response.writeHead(passed.statusCode ?? 500, passed.headers)),
    )
    onward.end()
  }
  const server = createServer(forward)
  server.on("connect", ({ url = "" }, client: Socket) => {
    requests.push(`CONNECT ${url}`)
    client.on("error", () => undefined)
    if (status !== 200) {
      client.end(`HTTP/1.1 ${status} No\r\n\r\n`)
      return
    }
    const onward = connect(to, "127.0.0.1", () => client.write("HTTP/1.1 200 OK\r\n\r\n"))
    onward.on("error", () => undefined)
    onward.pipe(client).pipe(onward)
  })
  return { url: `http://127.0.0.1:${await listen(t, server)}`, requests }
}

const throughIt = (t: TestContext, scheme: string, proxy: string) =>
  targetOf(
    t,
    `url: "${scheme}://site-a.example.org", token: {file: token}, proxy_url: "${proxy}"${scheme === "https" ? ", tls: {ca_file: ca.pem}" : ""}`,
    { "ca.pem": authority.cert },
  )

const REACHED = ["✓ name forward proxy 127.0.0.1:PORT: 127.0.0.1", "✓ connection 127.0.0.1:PORT in N ms"]
const NOT_REACHED = ["– token", "– selectors", "– response", "– exposition", "– freshness"]

test("a site is reached through a forward proxy, which resolves its name", async (t) => {
  const site = await listen(
    t,
    createSecureServer(certificate, (_, response) => deliver(response)),
  )
  const { url, requests } = await startProxy(t, site)
  assert.deepEqual(await probed(await throughIt(t, "https", url)), [
    ...REACHED,
    "✓ tls TLSv1.3, for site-a.example.org, by authority, until 1 Jan 2100",
    "✓ token a bearer token",
    "✓ selectors up",
    "✓ response 200, 5 B",
    "✓ exposition 1 sample",
    "✓ freshness no timestamps: the moment of the scrape counts",
  ])
  assert.deepEqual(requests, ["CONNECT site-a.example.org:443", "CONNECT site-a.example.org:443"])
})

test("a site with http:// is reached through a forward proxy", async (t) => {
  const site = await listen(
    t,
    createServer((_, response) => deliver(response)),
  )
  const { url, requests } = await startProxy(t, site)
  const [, , , token] = await probed(await throughIt(t, "http", url))
  assert.equal(token, "✓ token a bearer token")
  assert.deepEqual(requests, ["GET http://site-a.example.org/federate?match[]=up"])
})

for (const [status, finding] of [
  [407, "forward_proxy_auth: The forward proxy http://127.0.0.1:PORT requires credentials, or forbids this site."],
  [403, "forward_proxy_auth: The forward proxy http://127.0.0.1:PORT requires credentials, or forbids this site."],
  [502, "forward_proxy: The forward proxy http://127.0.0.1:PORT cannot be used: it responds with 502."],
] as const) {
  test(`a forward proxy that responds with ${status} is shown as what fails`, async (t) => {
    const { url } = await startProxy(t, 1, status)
    assert.deepEqual(await probed(await throughIt(t, "https", url)), [
      "✓ name forward proxy 127.0.0.1:PORT: 127.0.0.1",
      `✕ connection forward proxy 127.0.0.1:PORT: it responds with ${status}`,
      "– tls",
      ...NOT_REACHED,
      finding,
    ])
  })
}

test("a forward proxy that requires credentials for http:// is shown as what fails", async (t) => {
  const { url } = await startProxy(t, 1, 407)
  const lines = await probed(await throughIt(t, "http", url))
  assert.equal(
    lines.at(-1),
    "forward_proxy_auth: The forward proxy http://127.0.0.1:PORT requires credentials, or forbids this site.",
  )
})

test("a forward proxy that is not there is shown as what fails", async (t) => {
  assert.deepEqual(await probed(await throughIt(t, "https", "http://127.0.0.1:1")), [
    "✓ name forward proxy 127.0.0.1:1: 127.0.0.1",
    "✕ connection forward proxy 127.0.0.1:1: 127.0.0.1:1 refuses the connection",
    "– tls",
    ...NOT_REACHED,
    "forward_proxy: The forward proxy http://127.0.0.1:1 cannot be used: 127.0.0.1:1 refuses the connection.",
  ])
})
