import assert from "node:assert/strict"
import { once } from "node:events"
import { createServer } from "node:https"
import { test, type TestContext } from "node:test"
import type { TLSSocket } from "node:tls"
import { Registry } from "prom-client"
import { type Certificate, makeAuthority } from "../../../../dev/testing/certificates.ts"
import { temporaryFolder } from "../../../../dev/testing/folder.ts"
import { until } from "../../../../dev/testing/until.ts"
import { createLogger } from "#core/log/logger.ts"
import { Deadline } from "#core/retry/deadline.ts"
import { createClient } from "./client.ts"
import { type CredentialOptions, openCredentials } from "./credentials.ts"
import { targetOf } from "./testing.ts"
import { listen } from "../../../../dev/testing/listen.ts"

const authority = makeAuthority("private authority")
const NAME = "opa.opa.svc"

/** Answers what it was sent: the token, and the name in the client's certificate. */
async function secureServer(t: TestContext, own: Certificate): Promise<number> {
  const server = createServer({ ...own, ca: authority.cert, requestCert: true, rejectUnauthorized: false })
  server.on("request", (request, response) => {
    const { subject } = (request.socket as TLSSocket).getPeerCertificate()
    response.end(`${request.headers.authorization ?? "nobody"} ${subject === undefined ? "none" : String(subject.CN)}`)
  })
  return listen(t, server)
}

async function open(t: TestContext, options: Partial<CredentialOptions>) {
  const lines: string[] = []
  const registry = new Registry()
  const credentials = await openCredentials({
    tokenFile: undefined,
    caFile: undefined,
    certFile: undefined,
    keyFile: undefined,
    serverName: undefined,
    connectTimeout: 2,
    keepAlive: 10,
    connections: 1,
    log: createLogger({ level: "info", format: "logfmt" }, "test", (line) => lines.push(line)),
    now: () => new Date(),
    registry,
    ...options,
  })
  t.after(() => credentials.close())
  const client = createClient(credentials, "https")
  return {
    log: () => lines.join(""),
    credentials,
    successful: async () => /_successful\{config="credentials"\} (\d)$/m.exec(await registry.metrics())?.[1],
    ask: async (port: number) => {
      using deadline = new Deadline(5)
      const target = targetOf(port, { scheme: "https" })
      return (await client.fetchText(target, { method: "GET", path: "/" }, 1000, deadline)).body
    },
  }
}

test("an OPA that is asked by its address must show the server name, vouched for by the CA file", async (t) => {
  const port = await secureServer(t, authority.issue({ name: NAME, sans: [`DNS:${NAME}`] }))
  const caFile = await temporaryFolder(t).write("ca.pem", authority.cert)
  const good = await open(t, { caFile, serverName: NAME })
  assert.equal(await good.ask(port), "nobody none")
  const refused: readonly (readonly [Partial<CredentialOptions>, RegExp])[] = [
    [{ caFile }, /does not match certificate's altnames: IP: 127\.0\.0\.1 is not in the cert's list/],
    [{ caFile, serverName: "other.svc" }, /does not match certificate's altnames: Host: other\.svc\. is not/],
    [
      { serverName: NAME },
      /self-signed certificate in certificate chain|unable to (?:get local issuer|verify the first) certificate/,
    ],
  ]
  for (const [options, message] of refused) {
    const { ask } = await open(t, options)
    await assert.rejects(ask(port), { reason: "tls", message })
  }
})

test("an expired certificate is refused", async (t) => {
  const expired = authority.issue({ name: NAME, sans: [`DNS:${NAME}`], notAfter: new Date(Date.now() - 60_000) })
  const port = await secureServer(t, expired)
  const caFile = await temporaryFolder(t).write("ca.pem", authority.cert)
  const { ask } = await open(t, { caFile, serverName: NAME })
  await assert.rejects(ask(port), { reason: "tls", message: /certificate has expired/ })
})

test("token, CA and client certificate are used anew when their files change", async (t) => {
  const folder = temporaryFolder(t)
  const port = await secureServer(t, authority.issue({ name: NAME, sans: [`DNS:${NAME}`] }))
  const write = async (token: string, client: Certificate) => ({
    caFile: await folder.write("ca.pem", authority.cert),
    certFile: await folder.write("client.pem", client.cert),
    keyFile: await folder.write("client.key", client.key),
    tokenFile: await folder.write("token", `${token}\n`),
  })
  const files = await write("t0ken-1", authority.issue({ name: "exporter-1" }))
  const { ask, log } = await open(t, { ...files, serverName: NAME })
  assert.equal(await ask(port), "Bearer t0ken-1 exporter-1")

  await write("t0ken-2", authority.issue({ name: "exporter-2" }))
  await until("the new ones", async () => ((await ask(port)) === "Bearer t0ken-2 exporter-2" ? true : undefined))
  assert.doesNotMatch(log(), /t0ken|PRIVATE/)
})

test("a bad change keeps what was there, and shows", async (t) => {
  const folder = temporaryFolder(t)
  const port = await secureServer(t, authority.issue({ name: NAME, sans: [`DNS:${NAME}`] }))
  const caFile = await folder.write("ca.pem", authority.cert)
  const tokenFile = await folder.write("token", "t0ken-1")
  const { ask, log, successful } = await open(t, { caFile, tokenFile, serverName: NAME })
  assert.equal(await successful(), "1")
  await folder.write("token", "t0ken 2\nt0ken-3")
  await until("the fault to show", async () => ((await successful()) === "0" ? true : undefined))
  assert.equal(await ask(port), "Bearer t0ken-1 none")
  assert.match(log(), /level=error .*keeping the previous one.*token: must hold one token, a line without spaces/)
  assert.doesNotMatch(log(), /t0ken/)
  await folder.write("token", "t0ken-4")
  await until("the new one", async () => ((await ask(port)) === "Bearer t0ken-4 none" ? true : undefined))
  assert.equal(await successful(), "1")
})

test("files that can't be used end the start, all faults at once", async (t) => {
  const folder = temporaryFolder(t)
  const caFile = await folder.write("ca.pem", "none")
  const tokenFile = await folder.write("token", "")
  const keyFile = `${folder.path}/absent`
  await assert.rejects(open(t, { caFile, tokenFile, keyFile }), {
    name: "ConfigurationError",
    message: `${keyFile}: cannot be read: ENOENT: no such file or directory
${tokenFile}: must hold one token, a line without spaces
${caFile}: holds no certificate in PEM format`,
  })
})

test("what was begun with an older token is not waited for in the end", async (t) => {
  const server = createServer({ ...authority.issue({ name: NAME, sans: [`DNS:${NAME}`] }) }, () => undefined)
  const port = await listen(t, server)
  const files = temporaryFolder(t)
  const tokenFile = await files.write("token", "old")
  const caFile = await files.write("ca.pem", authority.cert)
  const { ask, credentials } = await open(t, { tokenFile, caFile, serverName: NAME })
  const asking = ask(port)
  await once(server, "request")
  await credentials.reload()
  await credentials.close()
  server.closeAllConnections()
  await assert.rejects(asking)
})
