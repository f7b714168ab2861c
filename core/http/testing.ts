import { once } from "node:events"
import type { IncomingMessage } from "node:http"
import { type Agent, request } from "node:https"
import type { TestContext } from "node:test"
import type { TLSSocket } from "node:tls"
import { Registry } from "prom-client"
import { createLogger } from "#core/log/logger.ts"
import { serve, type ServeOptions } from "./server.ts"
import { type Certificate, makeAuthority } from "../../dev/testing/certificates.ts"
import { temporaryFolder } from "../../dev/testing/folder.ts"

export const LOOPBACK = { host: "127.0.0.1", port: 0 }
/** Timeouts that end nothing while a test runs. */
export const HOURS = { headers: 3600, request: 3600, idle: 3600, keepAlive: 3600, close: 3600 }

/** A server that sends hello, closed after the test. */
export async function startServer(t: TestContext, options: Partial<ServeOptions> = {}) {
  const lines: string[] = []
  const serving = await serve({
    addresses: [LOOPBACK],
    webConfigFile: undefined,
    log: createLogger({ level: "debug", format: "logfmt" }, "test", (line) => lines.push(line)),
    routes: (app) => void app.get("/", (_, reply) => reply.send("hello\n")),
    ...options,
  })
  t.after(() => serving.close())
  const port = serving.addresses[0]?.port ?? 0
  return { serving, port, url: `http://127.0.0.1:${port}`, log: () => lines.join("") }
}

export const authority = makeAuthority("Test CA")
export const SANS = ["DNS:localhost", "IP:127.0.0.1"]
export const PLAIN_TLS = "tls_server_config: {cert_file: server.crt, key_file: server.key}\n"
export const VERIFYING_TLS =
  "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n  client_ca_file: ca.crt\n"

/** A server with this web configuration, and a certificate of `authority` beside the file. */
export async function startWithWebConfig(t: TestContext, yaml: string, options: Partial<ServeOptions> = {}) {
  const { path, write } = temporaryFolder(t)
  const registry = new Registry()
  const pair = authority.issue({ name: "server", sans: SANS })
  await write("server.crt", pair.cert)
  await write("server.key", pair.key)
  await write("ca.crt", authority.cert)
  const { serving, port, log } = await startServer(t, {
    webConfigFile: await write("web.yml", yaml),
    registry,
    ...options,
  })
  return {
    serving,
    port,
    write,
    log: () => log().replaceAll(`${path}/`, ""),
    shown: async () => (await registry.metrics()).match(/^fedstack_web_certificate_.*$/gm) ?? [],
    successful: async () => /reload_successful\{[^}]*\} (\d)/.exec(await registry.metrics())?.[1],
    get: (client?: Certificate, headers: Record<string, string> = {}, agent?: Agent) =>
      fetchTls(port, client, headers, agent),
  }
}

/** The response, or that there is none. */
async function fetchTls(port: number, client: Certificate | undefined, headers: Record<string, string>, agent?: Agent) {
  const sent = request({ host: "127.0.0.1", port, ca: authority.cert, ...client, headers, agent: agent ?? false })
  sent.end()
  try {
    const [response] = (await once(sent, "response")) as [IncomingMessage]
    // before the body is read: a response that is over may have no socket. Node gives a client the certificate once
    const socket = response.socket as TLSSocket
    const serial = socket.getPeerX509Certificate()?.serialNumber
    const body = (await response.setEncoding("utf8").toArray()).join("")
    return { status: response.statusCode, body, headers: response.headers, socket, serial }
  } catch {
    return { status: 0, body: "refused", headers: {} }
  }
}
