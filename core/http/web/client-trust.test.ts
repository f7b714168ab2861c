import assert from "node:assert/strict"
import { once } from "node:events"
import { Agent } from "node:https"
import { test } from "node:test"
import { connect, type TLSSocket } from "node:tls"
import { makeAuthority } from "../../../dev/testing/certificates.ts"
import { received } from "../../../dev/testing/send-raw.ts"
import { until } from "../../../dev/testing/until.ts"
import { authority, startWithWebConfig, VERIFYING_TLS } from "../testing.ts"

const VERIFYING = `${VERIFYING_TLS}  client_auth_type: RequireAndVerifyClientCert\n`
const NAME = { name: "client" }

test("a client_ca_file with the issuing authority alone is enough, whether the client sends the chain or not", async (t) => {
  const root = makeAuthority("Root")
  const issuing = root.intermediate("Issuing")
  const { get, write, serving } = await startWithWebConfig(t, VERIFYING)
  await write("ca.crt", issuing.cert)
  await serving.reload()
  const client = issuing.issue(NAME)
  assert.equal((await get(client)).status, 200)
  assert.equal((await get({ ...client, cert: client.cert + issuing.cert })).status, 200)
  assert.equal((await get(root.intermediate("Other").issue(NAME))).body, "refused")
  assert.equal((await get(root.issue(NAME))).body, "refused", "what is above the issuing authority is not trusted")
})

test("so it is from the start, and for a root as before", async (t) => {
  const issuing = makeAuthority("Root").intermediate("Issuing")
  const { get, port } = await startWithWebConfig(
    t,
    `${VERIFYING}  client_ca: ${JSON.stringify(issuing.cert)}\n`.replace("  client_ca_file: ca.crt\n", ""),
  )
  assert.equal((await get(issuing.issue(NAME))).status, 200, String(port))
  const { get: other } = await startWithWebConfig(t, VERIFYING)
  const below = authority.intermediate("Below")
  const client = below.issue(NAME)
  assert.equal((await other({ ...client, cert: client.cert + below.cert })).status, 200)
  assert.equal((await other(client)).body, "refused", "without its chain nothing leads to the root")
})

test("a session is not resumed: it would bring a certificate that was verified before", async (t) => {
  const { port } = await startWithWebConfig(t, VERIFYING)
  for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
    const options = { port, host: "127.0.0.1", ca: authority.cert, ...authority.issue(NAME), maxVersion }
    const first = connect(options)
    let session: Buffer | undefined
    first.on("session", (given) => (session = given))
    await once(first, "secureConnect")
    first.end("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
    await received(first)
    const second = connect({ ...options, ...(session && { session }) })
    await once(second, "secureConnect")
    assert.equal(second.isSessionReused(), false, maxVersion)
    second.destroy()
  }
})

for (const [what, yaml] of [
  ["another authority", VERIFYING],
  ["other names", `${VERIFYING}  client_allowed_sans: [a.example.org]\n`],
] as const) {
  test(`when ${what} is accepted, open connections end after their response, and clients prove anew who they are`, async (t) => {
    const { get, write, serving } = await startWithWebConfig(t, VERIFYING)
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    t.after(() => agent.destroy())
    const client = authority.issue(NAME)
    const { socket } = await get(client, {}, agent)
    const ended = once(socket as TLSSocket, "close")
    if (what === "another authority") await write("ca.crt", makeAuthority("Next").cert)
    await write("web.yml", yaml)
    await serving.reload()
    await ended
    assert.equal((await get(client, {}, agent)).body, "refused")
  })
}

test("a connection ends when its client's certificate expires", async (t) => {
  const { get, port } = await startWithWebConfig(t, VERIFYING)
  // a machine that is too slow for it gets another
  const { socket, end } = await until("a connection", async () => {
    const notAfter = new Date(Math.ceil(Date.now() / 1000) * 1000 + 2000)
    const short = connect({
      port,
      host: "127.0.0.1",
      ca: authority.cert,
      ...authority.issue({ ...NAME, notAfter }),
    })
    short.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n")
    short.on("error", () => undefined)
    return Promise.race([
      once(short, "data").then(() => ({ socket: short, end: notAfter.getTime() })),
      once(short, "close").then(() => undefined),
    ])
  })
  await once(socket, "close")
  assert.ok(Date.now() >= end)
  assert.equal((await get(authority.issue(NAME))).status, 200)
})
