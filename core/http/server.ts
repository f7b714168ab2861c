import Fastify, {
  type FastifyBaseLogger,
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
  type RawRequestDefaultExpression,
} from "fastify"
import type { IncomingMessage, RequestListener } from "node:http"
import type { Registry } from "prom-client"
import type { Closable } from "#core/closable.ts"
import { explain, FedstackError } from "#core/errors.ts"
import { watchClientFailures } from "./client-failures.ts"
import { createListener, type Listener, showAddress, type Timeouts, TIMEOUTS } from "./listener.ts"
import type { HeaderLimit } from "./malformed.ts"
import type { Logger } from "#core/log/logger.ts"
import type { Address } from "#core/config/settings.ts"
import type { WebConfig } from "./web/config.ts"
import type { Guard } from "./web/guard.ts"
import type { TlsConfig } from "./web/tls.ts"

export interface ServeOptions {
  readonly addresses: readonly Address[]
  /** The flag that chooses the addresses, for the message where one is not available. */
  readonly flag?: string
  readonly webConfigFile: string | undefined
  /** Why this server refuses basic_auth_users in its web configuration, in a sentence. */
  readonly refuseBasicAuth?: string
  /** Waits until clients trust another certificate than the first one: that one is shown until then, or until `closing`. */
  readonly beforeCertificate?: (next: TlsConfig, closing: AbortSignal) => Promise<void>
  /** Paths that need no user, where the web configuration has users: exactly these, for GET and HEAD. */
  readonly open?: readonly string[]
  /** Whether the routes find out themselves who sends a request, so that it needs no user of the web configuration. */
  readonly elsewhere?: (request: IncomingMessage) => Promise<boolean>
  /** Where failures of clients and reloads of the web configuration are counted. */
  readonly registry?: Registry
  readonly timeouts?: Partial<Timeouts>
  /** What requests may have; 16 KiB without it. */
  readonly headers?: HeaderLimit
  /** What routes see as the request's target; fastify's rewriteUrl. */
  readonly rewriteUrl?: (request: RawRequestDefaultExpression) => string
  /** Whether routes themselves have a client that expects it sent `100 Continue`, before which its body does not come. */
  readonly asksForBodies?: boolean
  /** Whether other threads listen on the same addresses, among which the kernel spreads the connections. */
  readonly reusePort?: boolean
  readonly log: Logger
  /**
   * All routes of the server; what is not listed does not exist. `closing` is aborted when the server begins to close:
   * responses that would never end by themselves end then.
   */
  readonly routes: (app: FastifyInstance, closing: AbortSignal) => void | Promise<void>
}

/** A server that runs. */
export interface Served extends Closable {
  /** Where it really listens, in the order of the given addresses; ports are known even where 0 was given. */
  readonly addresses: readonly Address[]
  /** Reads the web configuration file and its certificates again. */
  reload(): Promise<void>
}

export interface Serving extends Served {
  /** What requests of new connections may have. */
  limitHeaders(limit: HeaderLimit): void
}

/** Listens on all addresses, or on none and throws CANNOT_LISTEN; ConfigurationError for a bad web configuration. */
export async function serve(options: ServeOptions): Promise<Serving> {
  const { log, addresses, flag = "--web.listen-address", headers = { bytes: 16_384 } } = options
  const listeners: Listener[] = []
  const failures = watchClientFailures({ log, registry: options.registry, listener: listenerOf(addresses) })
  const inForce: { tls?: TlsConfig | undefined; guard?: Guard } = {}
  const closing = new AbortController()
  const web = await openWebConfig(options, closing.signal, ({ tls }, guard) => {
    Object.assign(inForce, { tls, guard })
    for (const listener of listeners) if (tls !== undefined) listener.setTls(tls)
  })
  const app = createApp(log, options.rewriteUrl ?? strictTarget)
  const close = async (): Promise<void> => {
    closing.abort()
    await web?.close()
    await Promise.all(listeners.map((listener) => listener.close()))
    failures.close()
    await app.close()
  }
  const handle: RequestListener = (request, response) => {
    if (inForce.guard === undefined) return app.routing(request, response)
    inForce
      .guard(request, response)
      .then((goesOn) => goesOn && app.routing(request, response))
      .catch((error: unknown) => {
        log.error({ reason: explain(error) }, "request failed")
        response.destroy()
      })
  }
  try {
    await options.routes(app, closing.signal)
    await app.ready()
    const listening: Address[] = []
    for (const address of addresses) {
      const timeouts = { ...TIMEOUTS, ...options.timeouts }
      const { asksForBodies = false } = options
      const listener = createListener({ tls: inForce.tls, timeouts, headers, asksForBodies, failures, log, handle })
      listeners.push(listener)
      listening.push(await listener.listen(address, flag, options.reusePort))
    }
    log.info({ addresses: listening.map(showAddress), tls: inForce.tls !== undefined }, "listening")
    return {
      addresses: listening,
      reload: async () => web?.reload(),
      limitHeaders(limit) {
        for (const listener of listeners) listener.limitHeaders(limit)
      },
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** The label of a server's metrics: its first address, as it was given. */
const listenerOf = (addresses: readonly Address[]): string => addresses.map(showAddress)[0] ?? ""

/** What a web configuration needs is loaded only where there is one: readers and schemas take 6 MB. */
async function openWebConfig(
  options: ServeOptions,
  closing: AbortSignal,
  apply: (config: WebConfig, guard: Guard) => void,
) {
  const { webConfigFile: file, addresses } = options
  if (file === undefined) return undefined
  const [{ createGuard }, { followWebConfig }] = await Promise.all([
    import("./web/guard.ts"),
    import("./web/reload.ts"),
  ])
  const { beforeCertificate } = options
  const following = {
    ...options,
    listener: listenerOf(addresses),
    beforeCertificate: beforeCertificate && ((next: TlsConfig) => beforeCertificate(next, closing)),
  }
  return followWebConfig(file, following, (config) =>
    apply(config, createGuard(config, { open: options.open, elsewhere: options.elsewhere })),
  )
}

function createApp(log: FastifyBaseLogger, rewriteUrl: NonNullable<ServeOptions["rewriteUrl"]>): FastifyInstance {
  const app = Fastify({
    loggerInstance: log,
    // a logger of its own for each request costs more than the routing, and all that it could add is a number
    childLoggerFactory: (logger) => logger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: 1_048_576,
    rewriteUrl,
    // what fastify refuses before any route, such as %zz in a path
    frameworkErrors: (error: FastifyError, _, reply: FastifyReply) => void sendText(reply, statusOf(error)),
  })
  app.setErrorHandler((error, request, reply) => {
    const status = statusOf(error)
    if (error instanceof FedstackError) return sendText(reply, status, explain(error))
    if (status >= 500) request.log.error({ reason: explain(error) }, "request failed")
    return sendText(reply, status)
  })
  const nothingHere = (request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const path = request.url.split("?", 1)[0] ?? ""
    const allowed = app.supportedMethods.filter((method) => app.hasRoute({ url: path, method }))
    if (allowed.length === 0) return sendText(reply, 404)
    return sendText(reply.header("allow", allowed.join(", ")), 405, `Only ${allowed.join(" and ")} can be used here.`)
  }
  // before the body is read: fastify would find fault with it first
  app.addHook("preParsing", (request, reply, payload, done) => {
    if (request.is404) nothingHere(request, reply)
    else done(null, payload)
  })
  app.setNotFoundHandler(nothingHere)
  return app
}

/** find-my-way takes `*` and other targets without a slash for `/`; here they become a path that is refused. */
function strictTarget({ url = "" }: RawRequestDefaultExpression): string {
  return /^(?:\/|https?:\/\/)/i.test(url) ? url : "/%"
}

/** Fastify's own messages repeat what the client sent; these do not. */
const TEXTS: Readonly<Record<number, string>> = {
  404: "Nothing here.",
  408: "The request took too long to arrive.",
  413: "The body of the request is too large.",
  414: "The path is too long.",
  415: "Bodies of this type are not accepted here.",
}

function sendText(reply: FastifyReply, status: number, message?: string): FastifyReply {
  const fallback = status >= 500 ? "Internal error; see the log." : "This request is malformed."
  return reply
    .code(status)
    .type("text/plain; charset=utf-8")
    .send(`${message ?? TEXTS[status] ?? fallback}\n`)
}

function statusOf(error: unknown): number {
  if (error instanceof FedstackError) return error.status
  const status = error instanceof Error && "statusCode" in error ? error.statusCode : undefined
  return typeof status === "number" && status >= 400 && status <= 599 ? status : 500
}

/** Why this process cannot serve yet, in a sentence; undefined when it can. */
type NotReady = () => string | undefined

/** `/-/healthy` and `/-/ready` with their Kubernetes twins. */
export function addHealth(app: FastifyInstance, notReady: NotReady): void {
  for (const path of ["/-/healthy", "/healthz", "/livez"]) app.get(path, (_, reply) => reply.send("Healthy.\n"))
  for (const path of ["/-/ready", "/readyz"]) {
    app.get(path, (_, reply) => {
      const reason = notReady()
      return reason === undefined ? reply.send("Ready.\n") : reply.code(503).send(`${reason}\n`)
    })
  }
}

/** Health and the component's own `/metrics`. */
export function addAdmin(
  app: FastifyInstance,
  registry: Pick<Registry, "contentType" | "metrics">,
  notReady: NotReady,
): void {
  addHealth(app, notReady)
  app.get("/metrics", async (_, reply) => reply.type(registry.contentType).send(await registry.metrics()))
}
