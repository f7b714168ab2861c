import assert from "node:assert/strict"
import { execFile, spawnSync } from "node:child_process"
import { once } from "node:events"
import { connect, type Socket } from "node:net"
import { test } from "node:test"
import { Registry } from "prom-client"
import { type Certificate, makeAuthority } from "../../dev/testing/certificates.ts"
import { type Found, need } from "../../dev/testing/component.ts"
import { received } from "../../dev/testing/send-raw.ts"
import { until } from "../../dev/testing/until.ts"
import { handshakeFailure } from "./handshakes.ts"
import { PLAIN_TLS, SANS, startWithWebConfig, VERIFYING_TLS } from "./testing.ts"

/** The beginning of a ClientHello of 512 bytes. */
const BEGUN = Buffer.from([0x16, 3, 1, 2, 0])
const SHORT = { timeouts: { headers: 0.3 } }

async function open(port: number, bytes: Buffer | undefined): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1" })
  await once(socket, "connect")
  if (bytes !== undefined) socket.write(bytes)
  return socket
}

for (const [what, bytes] of [
  ["never begins", undefined],
  ["stays begun", BEGUN],
] as const) {
  test(`a handshake that ${what} is ended, logged with the client and counted`, { timeout: 10_000 }, async (t) => {
    const registry = new Registry()
    const { port, log } = await startWithWebConfig(t, PLAIN_TLS, { ...SHORT, registry })
    assert.equal(await received(await open(port, bytes)), "")
    assert.match(
      log(),
      /level=warn component=test msg="TLS handshake failed" client=127\.0\.0\.1 reason="it was not over in time" failure=handshake_timeout listener=127\.0\.0\.1:0\n/,
    )
    const counted = (await registry.metrics()).match(/^fedstack_web_client_failures_total.* [1-9]\d*$/gm)
    assert.deepEqual(counted, [
      'fedstack_web_client_failures_total{listener="127.0.0.1:0",reason="handshake_timeout"} 1',
    ])
  })
}

test("a client that leaves in the handshake is not counted again when its time would be over", async (t) => {
  const registry = new Registry()
  const { port } = await startWithWebConfig(t, PLAIN_TLS, { ...SHORT, registry })
  const first = await open(port, BEGUN)
  first.destroy()
  await once(first, "close")
  await received(await open(port, undefined))
  const counted = (await registry.metrics()).match(/^fedstack_web_client_failures_total.*timeout"} [1-9]\d*$/gm)
  assert.deepEqual(counted, ['fedstack_web_client_failures_total{listener="127.0.0.1:0",reason="handshake_timeout"} 1'])
})

test(
  "a handshake that trickles is ended at the same time: a byte does not begin it anew",
  { timeout: 10_000 },
  async (t) => {
    const { port } = await startWithWebConfig(t, PLAIN_TLS, SHORT)
    const socket = await open(port, BEGUN)
    const trickle = setInterval(() => socket.write(Buffer.from([0])), 20)
    await received(socket)
    clearInterval(trickle)
  },
)

test("a server closes at once although handshakes are under way", { timeout: 60_000 }, async (t) => {
  const { port, serving } = await startWithWebConfig(t, PLAIN_TLS, {
    timeouts: { headers: 600, request: 600, close: 600 },
  })
  const sockets = await Promise.all([undefined, BEGUN, BEGUN].map((bytes) => open(port, bytes)))
  const ends = sockets.map(received)
  await serving.close()
  assert.deepEqual(await Promise.all(ends), ["", "", ""])
})

/** Those that this server logs, without time and level. */
const linesOf = (log: string): string[] => log.match(/msg="TLS handshake failed".*(?= listener)/g) ?? []

test("plain HTTP on a TLS port is logged as what it is", async (t) => {
  const { port, log } = await startWithWebConfig(t, PLAIN_TLS)
  await received(await open(port, Buffer.from("GET / HTTP/1.1\r\nhost: a\r\n\r\n")))
  assert.deepEqual(linesOf(log()), [
    'msg="TLS handshake failed" client=127.0.0.1 reason="plain HTTP on a port that speaks TLS; the client\'s URL must begin with https://" failure=plain_http',
  ])
})

test("what is no TLS is logged as such, without what was sent", async (t) => {
  const { port, log } = await startWithWebConfig(t, PLAIN_TLS)
  await received(await open(port, Buffer.from("Bearer secret-token-3f1c\r\n\r\n")))
  assert.deepEqual(linesOf(log()), [
    'msg="TLS handshake failed" client=127.0.0.1 reason="what came is not TLS" failure=not_tls',
  ])
  assert.doesNotMatch(log(), /secret/)
})

test("a client that does not know the server's authority is logged with what it objects to", async (t) => {
  const { port, log } = await startWithWebConfig(t, PLAIN_TLS)
  const openssl = need(t, findOpenssl())
  if (openssl === undefined) return
  // a client of Node never says why it leaves; OpenSSL's and Prometheus do
  execFile(openssl, ["s_client", "-connect", `127.0.0.1:${port}`, "-verify_return_error"]).stdin?.end()
  const [line] = await until("the line", () => (linesOf(log()).length > 0 ? linesOf(log()) : undefined))
  assert.equal(
    line,
    'msg="TLS handshake failed" client=127.0.0.1 reason="the client does not accept this server\'s certificate (unknown ca): it must know its authority, and use a name that stands in it" failure=certificate_rejected',
  )
})

const findOpenssl = (): Found<string> =>
  spawnSync("openssl", ["version"]).error === undefined
    ? { value: "openssl" }
    : { missing: "openssl is missing: apt-get install openssl" }

const REFUSED: readonly (readonly [what: string, client: Certificate | undefined, reason: string])[] = [
  ["without a certificate", undefined, "it sent no certificate"],
  [
    "with a certificate of another authority",
    makeAuthority("Stranger").issue({ name: "client", sans: SANS }),
    "its certificate is not valid: UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  ],
]
for (const [what, client, reason] of REFUSED) {
  test(`a client ${what} is logged as such`, async (t) => {
    const { get, log } = await startWithWebConfig(t, `${VERIFYING_TLS}  client_auth_type: RequireAndVerifyClientCert\n`)
    assert.equal((await get(client)).body, "refused")
    const line = await until("the line", () => /msg="client refused".*(?= listener)/.exec(log())?.[0])
    assert.equal(line, `msg="client refused" client=127.0.0.1 reason="${reason}" failure=client_certificate`)
  })
}

const BY_CODE = [
  ["ERR_SSL_TLSV1_ALERT_UNKNOWN_CA", "certificate_rejected"],
  ["ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE", "certificate_rejected"],
  ["ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE", "certificate_rejected"],
  ["ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED", "certificate_rejected"],
  ["ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN", "certificate_rejected"],
  ["ERR_SSL_NO_SHARED_CIPHER", "tls_version"],
  ["ERR_SSL_UNSUPPORTED_PROTOCOL", "tls_version"],
  ["ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE", "client_certificate"],
  ["ECONNRESET", "handshake_closed"],
  ["ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC", "tls"],
] as const
for (const [code, failure] of BY_CODE) {
  test(`${code} in a handshake is ${failure}`, () => {
    const error = Object.assign(new Error("C0:error:0A000418:SSL routines"), {
      code,
      library: "SSL routines",
      reason: "x",
    })
    assert.equal(handshakeFailure(error, {} as never)?.failure, failure)
  })
}
