import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import Fastify, { type FastifyBaseLogger, type FastifyInstance } from "fastify"
import type { Registry } from "prom-client"
import type { Running } from "#core/component.ts"
import { defineError, explain, FedstackError } from "#core/errors.ts"
import type { Logger } from "#core/log.ts"
import { type Address, listenAddress, setting, settings, text } from "#core/settings.ts"

export const cannotListen = defineError(
  "CANNOT_LISTEN",
  500,
  "Can't listen on {address}: {reason}. Free the port or choose another with --web.listen-address.",
)

/** Seconds that requests under way are given to finish when the process is told to end. */
const CLOSE_DEADLINE = 8

/** The flags of every component that listens. */
export const webSettings = (defaultAddress: string) => ({
  webListenAddress: settings(
    listenAddress,
    { flag: "--web.listen-address <host:port>", help: "address to listen on; may be repeated" },
    [defaultAddress],
  ),
  webConfigFile: setting(text, {
    flag: "--web.config.file <file>",
    help: "TLS, client certificates and users, in the format of Prometheus' exporter-toolkit",
  }),
})

export interface ServeOptions {
  readonly addresses: readonly Address[]
  readonly webConfigFile: string | undefined
  readonly log: Logger
  /** All routes of the server; what is not listed does not exist. */
  readonly routes: (app: FastifyInstance) => void | Promise<void>
}

export interface Serving extends Running {
  /** Where it really listens, in the order of the addresses asked for; ports are known even where 0 was asked. */
  readonly addresses: readonly Address[]
}

/** Listens on all addresses, or on none and throws CANNOT_LISTEN. */
export async function serve(options: ServeOptions): Promise<Serving> {
  const app = createApp(options.log)
  let closing = false
  app.addHook("onSend", (_, reply, _payload, done) => {
    if (closing) reply.header("connection", "close")
    done()
  })
  await options.routes(app)
  await app.ready()
  const servers: Server[] = []
  try {
    for (const address of options.addresses) {
      const server = createServer(
        // a scraper that keeps its connection closes it first: Prometheus does after 5 minutes
        { keepAliveTimeout: 310_000, headersTimeout: 10_000, requestTimeout: 30_000 },
        (request, response) => app.routing(request, response),
      )
      servers.push(server)
      await listen(server, address)
    }
  } catch (error) {
    await Promise.all(servers.map(closeServer))
    await app.close()
    throw error
  }
  const addresses = servers.map((server) => {
    const { address, port } = server.address() as AddressInfo
    return { host: address, port }
  })
  options.log.info({ addresses: addresses.map(showAddress) }, "listening")
  return {
    addresses,
    async close() {
      closing = true
      await Promise.all(servers.map(closeServer))
      await app.close()
    },
  }
}

function createApp(log: FastifyBaseLogger): FastifyInstance {
  const app = Fastify({ loggerInstance: log, disableRequestLogging: true, bodyLimit: 1_048_576 })
  app.setErrorHandler((error, request, reply) => {
    const status = statusOf(error)
    if (status >= 500 && !(error instanceof FedstackError))
      request.log.error({ reason: explain(error) }, "request failed")
    const message = status >= 500 && !(error instanceof FedstackError) ? "Internal error; see the log." : explain(error)
    return reply.code(status).type("text/plain; charset=utf-8").send(`${message}\n`)
  })
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split("?", 1)[0] ?? ""
    if (app.hasRoute({ url: path, method: "GET" })) {
      return reply
        .code(405)
        .header("allow", "GET, HEAD")
        .type("text/plain")
        .send("Only GET and HEAD are answered here.\n")
    }
    return reply.code(404).type("text/plain").send("Nothing here.\n")
  })
  return app
}

function statusOf(error: unknown): number {
  if (error instanceof FedstackError) return error.status
  const status = error instanceof Error && "statusCode" in error ? error.statusCode : undefined
  return typeof status === "number" && status >= 400 ? status : 500
}

async function listen(server: Server, address: Address): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once("error", reject)
  server.listen({ port: address.port, ...(address.host === "" ? {} : { host: address.host }) }, resolve)
  try {
    await promise
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : ""
    const reason = code === "EADDRINUSE" ? "another process uses it" : explain(error)
    throw cannotListen({ address: showAddress(address), reason })
  }
}

async function closeServer(server: Server): Promise<void> {
  if (!server.listening) return
  const { promise, resolve } = Promise.withResolvers<void>()
  server.close(() => resolve())
  const force = setTimeout(() => server.closeAllConnections(), CLOSE_DEADLINE * 1000)
  await promise
  clearTimeout(force)
}

export function showAddress({ host, port }: Address): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`
}

export interface AdminOptions {
  readonly registry: Registry
  /** Why this process can't serve yet, in a sentence; undefined when it can. */
  readonly notReady: () => string | undefined
}

/** `/-/healthy` and `/-/ready` with their Kubernetes twins. */
export function addHealth(app: FastifyInstance, notReady: AdminOptions["notReady"]): void {
  for (const path of ["/-/healthy", "/healthz", "/livez"]) app.get(path, (_, reply) => reply.send("Healthy.\n"))
  for (const path of ["/-/ready", "/readyz"]) {
    app.get(path, (_, reply) => {
      const reason = notReady()
      return reason === undefined ? reply.send("Ready.\n") : reply.code(503).send(`${reason}\n`)
    })
  }
}

/** Health and the component's own `/metrics`. */
export function addAdmin(app: FastifyInstance, { registry, notReady }: AdminOptions): void {
  addHealth(app, notReady)
  app.get("/metrics", async (_, reply) => reply.type(registry.contentType).send(await registry.metrics()))
}
