import assert from "node:assert/strict"
import { once } from "node:events"
import { createServer, type IncomingMessage } from "node:http"
import { createServer as createSecureServer, type ServerOptions } from "node:https"
import { createServer as createTcpServer, type AddressInfo } from "node:net"
import { test, type TestContext } from "node:test"
import { makeAuthority, type Wanted } from "../../../dev/testing/certificates.ts"
import { listen } from "../../../dev/testing/listen.ts"
import { deliver, probed, targetOf } from "./testing.ts"

const authority = makeAuthority("site authority")
const ofPortal = authority.issue({ name: "portal" })
const BEGIN = new Date("2026-01-01T00:00:00Z")
const END = new Date("2100-01-01T00:00:00Z")
const AHEAD = ["✓ name 127.0.0.1", "✓ connection 127.0.0.1:PORT in N ms"]
const NOT_REACHED = ["– token", "– selectors", "– response", "– exposition", "– freshness"]

/** What a probe shows of a TLS server, with these keys of the site; and the requests that it got. */
async function probeServer(t: TestContext, wanted: Omit<Wanted, "name">, keys = "", options: ServerOptions = {}) {
  const certificate = authority.issue({ name: "site", ...wanted })
  const requests: IncomingMessage[] = []
  const server = createSecureServer({ ...certificate, ...options }, (incoming, response) => {
    requests.push(incoming)
    deliver(response)
  })
  const port = await listen(t, server)
  const files = { "ca.pem": authority.cert, "own.pem": ofPortal.cert, "own.key": ofPortal.key }
  const target = await targetOf(t, `url: "https://127.0.0.1:${port}", token: {file: token}${keys}`, files)
  return { lines: await probed(target), requests }
}

const TRUSTED = ", tls: {ca_file: ca.pem}"
const RIGHT = { sans: ["DNS:site.example.org", "IP:127.0.0.1"], notBefore: BEGIN, notAfter: END }

test("a certificate that is accepted is described", async (t) => {
  const { lines, requests } = await probeServer(t, RIGHT, TRUSTED)
  assert.deepEqual(lines.slice(0, 4), [
    ...AHEAD,
    "✓ tls TLSv1.3, for site.example.org, 127.0.0.1, by site authority, until 1 Jan 2100",
    "✓ token a bearer token",
  ])
  assert.equal(requests.length, 1)
})

test("a server whose authority is not known gets no request, and its certificate is described", async (t) => {
  const { lines, requests } = await probeServer(t, RIGHT)
  assert.deepEqual(lines, [
    ...AHEAD,
    "✕ tls the certificate is of an unknown authority: for site.example.org, 127.0.0.1, by site authority, until 1 Jan 2100",
    ...NOT_REACHED,
    "tls_unknown_ca: The portal does not know the authority of the site's certificate (site authority).",
  ])
  assert.equal(requests.length, 0)
})

test("plain HTTP where the url says https:// is distinguished from what speaks neither", async (t) => {
  const plain = await listen(
    t,
    createServer((_, response) => response.end()),
  )
  const lines = async (port: number) =>
    probed(await targetOf(t, `url: "https://127.0.0.1:${port}", token: {file: token}`))
  assert.deepEqual(await lines(plain), [
    ...AHEAD,
    "✕ tls the server does not speak TLS",
    ...NOT_REACHED,
    "tls_to_plain: The site speaks plain HTTP on 127.0.0.1:PORT, while its url begins with https://.",
  ])
  const shell = createTcpServer((socket) => {
    socket.on("error", () => undefined).on("data", () => socket.end("SSH-2.0-OpenSSH_9.2\r\n"))
  }).listen(0, "127.0.0.1")
  t.after(() => shell.close())
  await once(shell, "listening")
  assert.deepEqual(await lines((shell.address() as AddressInfo).port), [
    ...AHEAD,
    "✕ tls the server does not speak TLS",
    ...NOT_REACHED,
    "not_tls: What listens on 127.0.0.1:PORT speaks neither TLS nor HTTP (it begins with SSH-2.0-OpenSSH_9.2).",
  ])
})

const UNTIL = "by site authority, until 1 Jan 2100"

for (const [name, wanted, keys, expected] of [
  [
    "a certificate for another name",
    { sans: ["DNS:other.example.org", "DNS:www.example.org"] },
    TRUSTED,
    [
      `✕ tls the certificate is for another name: for other.example.org, www.example.org, ${UNTIL}`,
      "tls_wrong_name: The site's certificate is for other.example.org, www.example.org, not for 127.0.0.1.",
    ],
  ],
  [
    "a certificate with a common name alone, which Prometheus does not look at",
    { sans: [] },
    ", tls: {ca_file: ca.pem, server_name: site}",
    [
      `✕ tls the certificate is for another name: for no name (its common name site does not count), ${UNTIL}`,
      "tls_wrong_name: The site's certificate is for no name (its common name site does not count), not for site.",
    ],
  ],
  [
    "a certificate of clients",
    { ...RIGHT, usage: "client" },
    TRUSTED,
    [
      `✕ tls the certificate is not one of a server: for site.example.org, 127.0.0.1, ${UNTIL}`,
      "tls_usage: The site's certificate is not one for servers.",
    ],
  ],
  [
    "several things that are wrong",
    { sans: ["DNS:other.example.org"], notAfter: new Date("2026-02-01T00:00:00Z") },
    TRUSTED,
    [
      "✕ tls the certificate has expired: for other.example.org, by site authority, until 1 Feb 2026",
      "tls_expired: The site's certificate expired N days ago (1 Feb 2026, 00:00:00 UTC).",
      "tls_wrong_name: The site's certificate is for other.example.org, not for 127.0.0.1.",
    ],
  ],
  [
    "a certificate that is not valid yet",
    { ...RIGHT, notBefore: new Date("2099-01-01T00:00:00Z") },
    TRUSTED,
    [
      `✕ tls the certificate is not valid yet: for site.example.org, 127.0.0.1, ${UNTIL}`,
      "tls_not_yet: The site's certificate is not valid yet, but from 1 Jan 2099, 00:00:00 UTC on.",
    ],
  ],
] as const satisfies readonly (readonly [string, Omit<Wanted, "name">, string, readonly string[]])[]) {
  test(`a probe shows ${name}, and sends no request`, async (t) => {
    const { lines, requests } = await probeServer(t, { notBefore: BEGIN, notAfter: END, ...wanted }, keys)
    const [tls = "", ...findings] = expected
    const days = (line: string): string => line.replace(/\d+ days ago/, "N days ago")
    assert.deepEqual(lines.map(days), [...AHEAD, tls, ...NOT_REACHED, ...findings])
    assert.equal(requests.length, 0)
  })
}

test("server_name is what the certificate is verified for", async (t) => {
  const { lines } = await probeServer(t, RIGHT, ", tls: {ca_file: ca.pem, server_name: site.example.org}")
  assert.equal(lines[4], "✓ selectors up")
})

test("a server without a TLS version in common is shown as such", async (t) => {
  const keys = ", tls: {ca_file: ca.pem, min_version: TLS13}"
  const { lines } = await probeServer(t, RIGHT, keys, { maxVersion: "TLSv1.2" })
  assert.deepEqual(lines, [
    ...AHEAD,
    "✕ tls there is no TLS version in common",
    ...NOT_REACHED,
    "tls_version: Portal and site have no TLS version in common.",
  ])
})

for (const [maxVersion, tls, finding] of [
  [
    "TLSv1.2",
    "✕ tls the TLS handshake failed: ssl/tls alert handshake failure",
    "tls_refused: The site ended the TLS handshake (handshake failure).",
  ],
  [
    "TLSv1.3",
    "✕ tls the site closes the connection right after the handshake",
    "tls_client_cert: The site requires a client certificate.",
  ],
] as const) {
  const requiring = { ca: authority.cert, requestCert: true, maxVersion }
  test(`a server that requires a client certificate over ${maxVersion} is shown as such, and one with it is passed`, async (t) => {
    const { lines } = await probeServer(t, RIGHT, TRUSTED, requiring)
    assert.deepEqual([lines.find((line) => line.startsWith("✕")), lines.at(-1)], [tls, finding])
    const keys = ", tls: {ca_file: ca.pem, cert_file: own.pem, key_file: own.key}"
    const { lines: passed } = await probeServer(t, RIGHT, keys, requiring)
    assert.equal(passed[4], "✓ selectors up")
  })

  test(`a server that does not accept the client certificate over ${maxVersion} is shown as such`, async (t) => {
    const other = makeAuthority("other authority")
    const keys = ", tls: {ca_file: ca.pem, cert_file: own.pem, key_file: own.key}"
    const { lines } = await probeServer(t, RIGHT, keys, { ...requiring, ca: other.cert })
    assert.equal(
      lines.at(-1),
      "tls_client_cert_refused: The site does not accept the portal's client certificate, or requires one.",
    )
  })
}

test("TLS where the url says http:// is shown as such", async (t) => {
  const requests: IncomingMessage[] = []
  const certificate = authority.issue({ name: "site", ...RIGHT })
  const port = await listen(
    t,
    createSecureServer(certificate, (incoming) => void requests.push(incoming)),
  )
  const lines = await probed(await targetOf(t, `url: "http://127.0.0.1:${port}", token: {file: token}`))
  assert.deepEqual(lines, [
    ...AHEAD,
    "✕ tls the site speaks TLSv1.3 on this port",
    ...NOT_REACHED,
    "tls_expected: The site speaks TLS on 127.0.0.1:PORT, while its url begins with http://.",
  ])
  assert.equal(requests.length, 0)
})

test("a handshake without a response ends in time", async (t) => {
  const silent = createTcpServer((socket) => void socket.on("error", () => undefined).resume()).listen(0, "127.0.0.1")
  t.after(() => silent.close())
  await once(silent, "listening")
  const { port } = silent.address() as AddressInfo
  const target = await targetOf(t, `url: "https://127.0.0.1:${port}", token: {file: token}`)
  assert.deepEqual(await probed(target, { seconds: 1 }), [
    ...AHEAD,
    "✕ tls no whole response in time",
    ...NOT_REACHED,
    "no_answer: The site did not respond within 1 s: the TLS handshake did not end.",
  ])
})
