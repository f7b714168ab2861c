import httpProxy from "@fastify/http-proxy"
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify"
import { createClientGate, LimitExceeded } from "#core/limits/client-limits.ts"
import { networkOf } from "#core/limits/networks.ts"
import type { Logger } from "#core/log/logger.ts"
import { addSecurityHeaders, isCrossSite } from "../web/security.ts"
import { type Decision, isRead } from "./decision.ts"
import { parameters } from "./parameters.ts"
import { FORM, type Passed } from "./passed.ts"
import { requestHeaders } from "./request-headers.ts"
import { openResponses } from "./respond.ts"
import { parseTarget } from "./target.ts"
import { DEADLINES, type Deadlines, upstreamRequests } from "./upstream.ts"

export interface DoorOptions {
  readonly log: Logger
  /** Who sends a request, where that is known. */
  readonly userOf?: (request: FastifyRequest) => string | undefined
  readonly deadlines?: Deadlines
  /** Requests of one client, or of one network where clients are not known, at once. */
  readonly concurrent?: number
}

const CONCURRENT = 24

/** Passes a server through: what is on its list, and nothing else. */
export async function addPassed(app: FastifyInstance, passed: Passed, options: DoorOptions): Promise<void> {
  const { name, prefix, url, sending, bodies } = passed
  const { log, userOf = () => undefined, deadlines = DEADLINES, concurrent = CONCURRENT } = options
  const gate = createClientGate(() => performance.now())
  const requests = upstreamRequests(sending, deadlines)
  const respond = openResponses(passed, log)
  const decided = new WeakMap<FastifyRequest, { readonly decision: Decision; readonly query: string }>()

  function check(request: FastifyRequest, reply: FastifyReply): FastifyReply | undefined {
    const target = parseTarget(request.url, prefix)
    const decision = target && passed.decide(request.method, target.path === "" ? "/" : target.path)
    const read = isRead(request.method)
    if (hasBody(request) && (read || decision === undefined)) reply.header("connection", "close")
    if (target === undefined || decision === undefined)
      return refuse(reply, 404, `The portal does not pass this through to ${name}.`)
    if (/websocket/i.test(request.headers.upgrade ?? ""))
      return refuse(reply.header("connection", "close"), 400, "WebSocket connections are not passed through.")
    if (hasBody(request) && read) return refuse(reply, 400, `A ${request.method} request has no body.`)
    if (!read && isCrossSite(request)) return refuse(reply, 403, "This request was sent by a page of another site.")
    if (target.path === "") return reply.redirect(`${prefix}/${target.query === "" ? "" : `?${target.query}`}`, 302)
    if (decision.kind === "nothing") return reply.code(204).send()
    const client = userOf(request) ?? networkOf(request.socket.remoteAddress ?? "")
    try {
      const leave = gate.enter({ name: client, limits: { concurrent, requestsPerSecond: Infinity } })
      reply.raw.once("close", () => {
        leave()
        gate.keep(NOBODY)
      })
    } catch (error) {
      if (!(error instanceof LimitExceeded)) throw error
      return refuse(reply.header("retry-after", error.retryAfter), 429, error.message)
    }
    decided.set(request, { decision, query: target.query })
    return undefined
  }

  await app.register(async (scope) => {
    addSecurityHeaders(scope)
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser(
      bodies.type,
      { parseAs: "buffer", bodyLimit: bodies.limit },
      (_request, body: Buffer, done) => done(null, body),
    )
    scope.addHook("onRequest", (request, reply, done) => {
      if (check(request, reply) === undefined) done()
    })
    await scope.register(httpProxy, {
      upstream: url.href,
      prefix,
      httpMethods: [...app.supportedMethods],
      proxyPayloads: false,
      internalRewriteLocationHeader: false,
      disableCache: true,
      disableRequestLogging: true,
      undici: requests.requester,
      handler(request, reply) {
        const { decision, query } = decided.get(request) ?? {}
        if (decision === undefined || query === undefined) return refuse(reply, 404, "Nothing here.")
        const body = Buffer.isBuffer(request.body) ? request.body : undefined
        const form = body !== undefined && bodies.type === FORM
        const sent = parameters(query, form ? body.toString() : undefined, decision.kind === "query")
        const user = userOf(request)
        requests.pass(reply.raw, (passing) => {
          reply.from(`${prefix}${decision.path}`, {
            // there, HEAD is often unknown
            method: request.method === "HEAD" ? "GET" : request.method,
            ...(body === undefined
              ? {}
              : { body: sent.body ?? body, contentType: request.headers["content-type"] ?? bodies.type }),
            queryString: () => sent.query,
            retryDelay: () => null,
            rewriteRequestHeaders: ({ headers }, { "content-type": type }) => ({
              ...(type !== undefined && body !== undefined && { "content-type": type }),
              ...requestHeaders(headers, {
                also: passed.headers ?? [],
                plain: decision.kind === "page",
                own: {
                  ...sending().headers,
                  ...(passed.userHeader !== undefined && user !== undefined && { [passed.userHeader]: user }),
                },
              }),
            }),
            // none is copied: respond() sets those of its list
            rewriteHeaders: () => ({}),
            onResponse: (_request, to, response) =>
              void respond(request, to as FastifyReply, response, { decision, passing }),
          })
        })
        return reply
      },
    })
  })
}

const NOBODY: ReadonlySet<string> = new Set()

const hasBody = ({ headers }: FastifyRequest): boolean =>
  headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0

const refuse = (reply: FastifyReply, status: number, text: string): FastifyReply =>
  reply.code(status).type("text/plain; charset=utf-8").send(`${text}\n`)
