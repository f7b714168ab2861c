import assert from "node:assert/strict"
import { once } from "node:events"
import { createServer as createHttpServer } from "node:http"
import { createServer } from "node:https"
import { join } from "node:path"
import { test, type TestContext } from "node:test"
import type { TLSSocket } from "node:tls"
import { Registry } from "prom-client"
import { type Certificate, makeAuthority } from "../../dev/testing/certificates.ts"
import { temporaryFolder } from "../../dev/testing/folder.ts"
import { until } from "../../dev/testing/until.ts"
import { createLogger } from "#core/log/logger.ts"
import { fetchText } from "./client.ts"
import type { ConnectionFailure } from "./connection-failure.ts"
import { type ClientCredentialOptions, openClientCredentials } from "./client-credentials.ts"
import { listen } from "../../dev/testing/listen.ts"

const authority = makeAuthority("private authority")
const NAME = "server.example.org"

/** Responds with what it was sent: the token, and the name in the client's certificate. */
async function secureServer(t: TestContext, own: Certificate): Promise<number> {
  const server = createServer({ ...own, ca: authority.cert, requestCert: true, rejectUnauthorized: false })
  server.on("request", (request, response) => {
    const { subject } = (request.socket as TLSSocket).getPeerCertificate()
    response.end(
      `${request.headers.authorization ?? "anonymous"} ${subject === undefined ? "none" : String(subject.CN)}`,
    )
  })
  return listen(t, server)
}

async function open(t: TestContext, options: Partial<ClientCredentialOptions>) {
  const lines: string[] = []
  const registry = new Registry()
  const credentials = await openClientCredentials({
    token: undefined,
    ca: undefined,
    cert: undefined,
    key: undefined,
    serverName: undefined,
    connectTimeout: 2,
    keepAlive: 10,
    connections: 1,
    log: createLogger({ level: "info", format: "logfmt" }, "test", (line) => lines.push(line)),
    registry,
    ...options,
  })
  t.after(() => credentials.close())
  return {
    log: () => lines.join(""),
    credentials,
    successful: async () => /_successful\{config="credentials"\} (\d)$/m.exec(await registry.metrics())?.[1],
    send: async (port: number) => {
      const { agent: dispatcher, headers } = credentials.current()
      const url = new URL(`https://127.0.0.1:${port}`)
      return (await fetchText(url, { deadline: 5, limit: 1000, dispatcher, headers })).body
    },
  }
}

test("a server that is called by its address must show the server name in a certificate of the CA file", async (t) => {
  const port = await secureServer(t, authority.issue({ name: NAME, sans: [`DNS:${NAME}`] }))
  const ca = await temporaryFolder(t).write("ca.pem", authority.cert)
  const good = await open(t, { ca, serverName: NAME })
  assert.equal(await good.send(port), "anonymous none")
  const refused: readonly (readonly [Partial<ClientCredentialOptions>, reason: ConnectionFailure])[] = [
    [{ ca }, "tls_wrong_name"],
    [{ ca, serverName: "other.svc" }, "tls_wrong_name"],
    [{ serverName: NAME }, "tls_unknown_ca"],
  ]
  for (const [options, reason] of refused) {
    const { send } = await open(t, options)
    await assert.rejects(send(port), { reason })
  }
})

test("a CA file with the issuing authority alone is enough, and trusts nothing above it", async (t) => {
  const root = makeAuthority("Root")
  const issuing = root.intermediate("Issuing")
  const ca = await temporaryFolder(t).write("ca.pem", issuing.cert)
  const { send } = await open(t, { ca, serverName: NAME })
  const wanted = { name: NAME, sans: [`DNS:${NAME}`] }
  assert.equal(await send(await secureServer(t, issuing.issue(wanted))), "anonymous none")
  await assert.rejects(send(await secureServer(t, root.issue(wanted))), { reason: "tls_unknown_ca" })
})

test("without files nothing is logged, and no metric reports that something was read", async (t) => {
  const { log, successful, credentials } = await open(t, {})
  await credentials.reload()
  assert.deepEqual([log(), await successful(), credentials.current().headers], ["", undefined, {}])
})

test("an expired certificate is refused", async (t) => {
  const expired = authority.issue({ name: NAME, sans: [`DNS:${NAME}`], notAfter: new Date(Date.now() - 60_000) })
  const port = await secureServer(t, expired)
  const ca = await temporaryFolder(t).write("ca.pem", authority.cert)
  const { send } = await open(t, { ca, serverName: NAME })
  await assert.rejects(send(port), { reason: "tls_expired" })
})

test("token, CA and client certificate are used anew when their files change", async (t) => {
  const folder = temporaryFolder(t)
  const port = await secureServer(t, authority.issue({ name: NAME, sans: [`DNS:${NAME}`] }))
  const write = async (token: string, client: Certificate) => ({
    ca: await folder.write("ca.pem", authority.cert),
    cert: await folder.write("client.pem", client.cert),
    key: await folder.write("client.key", client.key),
    token: await folder.write("token", `${token}\n`),
  })
  const files = await write("t0ken-1", authority.issue({ name: "exporter-1" }))
  const { send, log } = await open(t, { ...files, serverName: NAME })
  assert.equal(await send(port), "Bearer t0ken-1 exporter-1")

  await write("t0ken-2", authority.issue({ name: "exporter-2" }))
  await until("the new ones", async () => ((await send(port)) === "Bearer t0ken-2 exporter-2" ? true : undefined))
  assert.doesNotMatch(log(), /t0ken|PRIVATE/)
})

test("a bad change keeps what was there, and shows", async (t) => {
  const folder = temporaryFolder(t)
  const port = await secureServer(t, authority.issue({ name: NAME, sans: [`DNS:${NAME}`] }))
  const ca = await folder.write("ca.pem", authority.cert)
  const token = await folder.write("token", "t0ken-1")
  const { send, log, successful } = await open(t, { ca, token, serverName: NAME })
  assert.equal(await successful(), "1")
  await folder.write("token", "t0ken 2\nt0ken-3")
  await until("the fault to show", async () => ((await successful()) === "0" ? true : undefined))
  assert.equal(await send(port), "Bearer t0ken-1 none")
  assert.match(
    log(),
    /level=error .*keeping the previous one" faults=1\n.*level=error .*token: has several lines; it must hold the token and nothing else/,
  )
  assert.doesNotMatch(log(), /t0ken/)
  await folder.write("token", "t0ken-4")
  await until("the new one", async () => ((await send(port)) === "Bearer t0ken-4 none" ? true : undefined))
  assert.equal(await successful(), "1")
})

test("refuses files that cannot be used, with all faults at once", async (t) => {
  const folder = temporaryFolder(t)
  const ca = await folder.write("ca.pem", "none")
  const token = await folder.write("token", "")
  const key = `${folder.path}/absent`
  await assert.rejects(open(t, { ca, token, key }), {
    name: "ConfigurationError",
    message: `${token}: is empty; it must hold the token
${key}: cannot be read: ENOENT: no such file or directory
${ca}: holds no certificate in PEM format`,
  })
})

test("a certificate and a key that are none, or not of each other, are reported each for itself", async (t) => {
  const { write } = temporaryFolder(t)
  const none = await write("none.pem", "none")
  const client = authority.issue({ name: "client" })
  const cert = await write("client.pem", client.cert)
  const key = await write("client.key", client.key)
  const both = await write("both.pem", client.key + client.cert)
  const foreign = await write("foreign.key", authority.issue({ name: "other" }).key)
  const noCertificate = `${none}: holds no certificate in PEM format`
  const noKey = "holds no private key in PEM format without a passphrase"
  const faulty: readonly (readonly [cert: string, key: string | undefined, message: string])[] = [
    [none, key, noCertificate],
    [none, undefined, `${noCertificate}\n${none}: ${noKey}`],
    [cert, none, `${none}: ${noKey}`],
    [cert, undefined, `${cert}: ${noKey}`],
    [cert, foreign, `${foreign}: does not belong to the certificate`],
  ]
  for (const [certFile, keyFile, message] of faulty)
    await assert.rejects(open(t, { cert: certFile, key: keyFile }), { name: "ConfigurationError", message })
  await open(t, { cert, key })
  await open(t, { cert: both })
})

test("what was begun with an older token is not waited for in the end", async (t) => {
  const server = createServer({ ...authority.issue({ name: NAME, sans: [`DNS:${NAME}`] }) }, () => undefined)
  const port = await listen(t, server)
  const files = temporaryFolder(t)
  const token = await files.write("token", "old")
  const ca = await files.write("ca.pem", authority.cert)
  const { send, credentials } = await open(t, { token, ca, serverName: NAME })
  const response = send(port)
  await once(server, "request")
  await credentials.reload()
  await credentials.close()
  server.closeAllConnections()
  await assert.rejects(response)
})

test("a new token is sent on the connections of before, whose certificates have not changed", async (t) => {
  const folder = temporaryFolder(t)
  const token = await folder.write("token", "one")
  const ca = await folder.write("ca.pem", authority.cert)
  const { credentials } = await open(t, { token, ca })
  const before = credentials.current()
  await folder.write("token", "two")
  await credentials.reload()
  const after = credentials.current()
  assert.deepEqual(after.headers, { authorization: "Bearer two" })
  assert.equal(after.agent, before.agent)
})

test("a request that is under way ends with the certificates with which it was sent", async (t) => {
  const folder = temporaryFolder(t)
  const arrived = Promise.withResolvers<() => void>()
  const server = createServer(authority.issue({ name: NAME, sans: ["IP:127.0.0.1"] }), (_, response) => {
    arrived.resolve(() => response.end("whole"))
  })
  const port = await listen(t, server)
  const ca = await folder.write("ca.pem", authority.cert)
  const { send, credentials } = await open(t, { ca })
  const response = send(port)
  const finish = await arrived.promise
  await folder.write("ca.pem", authority.cert + makeAuthority("next").cert)
  await credentials.reload()
  finish()
  assert.equal(await response, "whole")
})

test("starts without files that are faulty where that is allowed, shows it, and uses them when they are mended", async (t) => {
  const server = createHttpServer((request, response) => response.end(request.headers.authorization ?? "anonymous"))
  const port = await listen(t, server)
  const folder = temporaryFolder(t)
  const token = join(folder.path, "token")
  const { log, successful, credentials } = await open(t, { token, startWithout: true })
  const send = async () => {
    const { agent: dispatcher, headers } = credentials.current()
    return (await fetchText(new URL(`http://127.0.0.1:${port}`), { deadline: 5, limit: 1000, dispatcher, headers }))
      .body
  }
  const { agent: without } = credentials.current()
  assert.deepEqual([await send(), await successful()], ["anonymous", "0"])
  assert.match(
    log(),
    /level=error .*msg="credentials load failed, sending requests without them" faults=1\n.*token: cannot be read: ENOENT/,
  )
  await folder.write("token", "s3cret")
  await until("the token to be sent", async () => ((await send()) === "Bearer s3cret" ? true : undefined))
  assert.equal(await successful(), "1")
  await credentials.close()
  assert.ok(without.destroyed)
})

test("sends a user and the password in a file, as it stands there", async (t) => {
  const server = createHttpServer((request, response) => response.end(request.headers.authorization ?? "anonymous"))
  const url = new URL(`http://127.0.0.1:${await listen(t, server)}`)
  const passwordFile = await temporaryFolder(t).write("password", "p:ass w\u00f6rd\n")
  const { credentials } = await open(t, { basicAuth: { username: "u", passwordFile } })
  const { agent: dispatcher, headers } = credentials.current()
  const { body } = await fetchText(url, { deadline: 5, limit: 1000, dispatcher, headers })
  assert.equal(body, `Basic ${Buffer.from("u:p:ass w\u00f6rd").toString("base64")}`)
})
