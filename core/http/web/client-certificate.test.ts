import assert from "node:assert/strict"
import { test } from "node:test"
import { connect } from "node:tls"
import { makeAuthority } from "../../../dev/testing/certificates.ts"
import { received } from "../../../dev/testing/send-raw.ts"
import { authority, PLAIN_TLS, SANS, startWithWebConfig, VERIFYING_TLS } from "../testing.ts"

const stranger = makeAuthority("Stranger CA")
const shared = authority.issue({ name: "client", sans: ["DNS:portal.example.org", "URI:spiffe://a/portal"] })
const unnamed = authority.issue({ name: "portal.example.org" })
const foreign = stranger.issue({ name: "client", sans: ["DNS:portal.example.org"] })
const old = authority.issue({ name: "client", sans: SANS, notAfter: new Date("2020-01-01") })
const clients = { none: undefined, shared, unnamed, foreign, old }

/** Which clients are served under which policy, with Go's meaning. */
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
    const { get } = await startWithWebConfig(t, `${VERIFYING_TLS}  client_auth_type: ${auth}\n`)
    const served: string[] = []
    for (const [name, client] of Object.entries(clients)) if ((await get(client)).status === 200) served.push(name)
    assert.deepEqual(served, expected)
  })
}

test("without client_auth_type no client has to send a certificate", async (t) => {
  const { get } = await startWithWebConfig(t, PLAIN_TLS)
  assert.equal((await get(foreign)).body, "hello\n")
})

test("a refused client is named in the log with the reason", async (t) => {
  const { get, log } = await startWithWebConfig(
    t,
    `${VERIFYING_TLS}  client_auth_type: RequireAnyClientCert\n  client_allowed_sans: [a]\n`,
  )
  assert.equal((await get(shared)).body, "refused")
  assert.match(log(), /msg="client refused" client=127\.0\.0\.1 reason="its certificate has no allowed name"/)
})

test("a request that arrives with the handshake of a refused client does not reach a route", async (t) => {
  const { port } = await startWithWebConfig(t, `${VERIFYING_TLS}  client_auth_type: RequireAnyClientCert\n`)
  const socket = connect({ port, host: "127.0.0.1", ca: authority.cert, maxVersion: "TLSv1.3" })
  socket.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n")
  assert.equal(await received(socket), "")
})
