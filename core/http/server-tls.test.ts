import assert from "node:assert/strict"
import { once } from "node:events"
import { connect as connectPlain } from "node:net"
import { test } from "node:test"
import { connect } from "node:tls"
import { ConfigurationError } from "#core/errors.ts"
import { received } from "../../dev/testing/send-raw.ts"
import { authority, HOURS, PLAIN_TLS, startWithWebConfig } from "./testing.ts"

test("only the chosen TLS versions are spoken", async (t) => {
  const { get, port } = await startWithWebConfig(t, PLAIN_TLS.replace("}", ", min_version: TLS13}"))
  assert.equal((await get()).socket?.getProtocol(), "TLSv1.3")
  const socket = connect({ port, host: "127.0.0.1", ca: authority.cert, maxVersion: "TLSv1.2" })
  const [error] = (await once(socket, "error")) as [NodeJS.ErrnoException]
  assert.equal(error.code, "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION")
})

test("a client that could speak HTTP/2 too gets HTTP/1.1, and a file that sets it is logged", async (t) => {
  const { port, log } = await startWithWebConfig(t, `${PLAIN_TLS}http_server_config: {http2: true}\n`)
  const socket = connect({ port, host: "127.0.0.1", ca: authority.cert, ALPNProtocols: ["h2", "http/1.1"] })
  await once(socket, "secureConnect")
  assert.equal(socket.alpnProtocol, "http/1.1")
  socket.end("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
  assert.match((await socket.toArray()).join(""), /^HTTP\/1\.1 200 OK\r\n/)
  assert.match(log(), /level=warn .*web\.yml:2:22 http_server_config\.http2: HTTP\/2 is not supported/)
})

test("a client that speaks HTTP/2 alone is refused in the handshake, or by its first line where it negotiates nothing", async (t) => {
  const { port } = await startWithWebConfig(t, PLAIN_TLS)
  const alone = connect({ port, host: "127.0.0.1", ca: authority.cert, ALPNProtocols: ["h2"] })
  const [error] = (await once(alone, "error")) as [NodeJS.ErrnoException]
  assert.equal(error.code, "ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL")
  const unasked = connect({ port, host: "127.0.0.1", ca: authority.cert })
  unasked.end("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
  assert.match((await unasked.toArray()).join(""), /^HTTP\/1\.1 400 Bad Request\r\n/)
})

test("plain HTTP on a TLS port gets no response, and the server goes on", async (t) => {
  const { port, get } = await startWithWebConfig(t, PLAIN_TLS)
  await assert.rejects(fetch(`http://127.0.0.1:${port}/`))
  assert.equal((await get()).status, 200)
})

test(
  "closing waits for a request under way, not for a client that begins no handshake",
  { timeout: 60_000 },
  async (t) => {
    const [begun, release] = [Promise.withResolvers<void>(), Promise.withResolvers<string>()]
    const { serving, port, get } = await startWithWebConfig(t, PLAIN_TLS, {
      timeouts: HOURS,
      routes: (app) => void app.get("/", () => (begun.resolve(), release.promise)),
    })
    const response = get()
    await begun.promise
    const silent = connectPlain({ port, host: "127.0.0.1" })
    await once(silent, "connect")
    const ended = received(silent)
    const closed = serving.close()
    assert.equal(await ended, "")
    release.resolve("done")
    assert.equal((await response).body, "done")
    await closed
  },
)

test("a faulty file is reported before anything listens", async (t) => {
  await assert.rejects(startWithWebConfig(t, "tls_server_config: {cert_file: server.crt}\n"), ConfigurationError)
})
