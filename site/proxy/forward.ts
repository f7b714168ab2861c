import { AsyncLocalStorage } from "node:async_hooks"
import { Readable } from "node:stream"
import httpProxy from "@fastify/http-proxy"
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify"
import { Agent, type Dispatcher } from "undici"
import type { Running } from "#core/component.ts"
import { explain, FedstackError } from "#core/errors.ts"
import type { Logger } from "#core/log.ts"
import { FEDERATE } from "./admit.ts"
import { acceptAnswer, bounded, type UpstreamAnswer } from "./answer.ts"
import { upstreamBadAnswer, upstreamTimeout, upstreamUnreachable } from "./errors.ts"
import { ANSWER_BROKEN, CLIENT_GONE, type Exchange, exchangeOf, refuse } from "./exchange.ts"
import type { ProxyMetrics } from "./metrics.ts"
import { deadlineOf, takesGzip, upstreamHeaders, upstreamQuery } from "./upstream-request.ts"

export interface ForwardOptions {
  readonly upstream: URL
  /** Seconds. */
  readonly upstreamTimeout: number
  readonly responseBytes: number
  readonly metrics: ProxyMetrics
  readonly log: Logger
}

const TIMEOUT = "UPSTREAM_TIMEOUT"

/**
 * Routes /federate to Prometheus through @fastify/http-proxy, of which only the plumbing is used: address, query, headers,
 * deadline and errors are ours. Closing ends the connections to Prometheus.
 */
export async function forward(app: FastifyInstance, options: ForwardOptions): Promise<Running> {
  const { upstream } = options
  // the deadline of an exchange spans connecting, waiting and the body
  const agent = new Agent({ headersTimeout: 0, bodyTimeout: 0, connect: { timeout: options.upstreamTimeout * 1000 } })
  const path = `${upstream.pathname.replace(/\/$/, "")}${FEDERATE}`
  const cancelled = new AsyncLocalStorage<AbortSignal>()

  await app.register(httpProxy, {
    upstream: upstream.origin,
    routes: [FEDERATE],
    httpMethods: ["GET", "HEAD"],
    proxyPayloads: false,
    internalRewriteLocationHeader: false,
    disableRequestLogging: true,
    logLevel: "silent", // failures are logged below, once
    // the plugin can't cancel a request, and a client that leaves would keep Prometheus busy
    undici: { request: cancellable(agent, () => cancelled.getStore()) },
    handler: (request, reply, _path, hooks) => {
      const exchange = exchangeOf(request)
      exchange.deadline = deadlineOf(request.headers, options.upstreamTimeout)
      exchange.forwarded = options.metrics.upstreamDuration.startTimer()
      limitTime(exchange, reply)
      return cancelled.run(exchange.cancel.signal, () => reply.from(path, { ...hooks, method: "GET" }))
    },
    replyOptions: {
      queryString: (_search, _url, request) => upstreamQuery(exchangeOf(request as FastifyRequest).selectors),
      rewriteRequestHeaders: (request, headers) =>
        upstreamHeaders(headers, exchangeOf(request as FastifyRequest).deadline),
      rewriteHeaders: () => ({}), // those of a good answer are set when it is accepted
      retryDelay: () => null,
      onError: (reply, { error }) => {
        exchangeOf(reply.request as FastifyRequest).forwarded?.()
        giveUp(reply as FastifyReply, error.cause ?? error, upstreamUnreachable({}), options)
      },
      onResponse: (_request, plainReply, response) => {
        const reply = plainReply as FastifyReply
        exchangeOf(reply.request).forwarded?.()
        // the plugin's type says response; it is status, headers and undici's body
        relay(reply, response as unknown as UpstreamAnswer, options).catch((error: unknown) =>
          giveUp(reply, error, upstreamBadAnswer({ problem: "it broke off" }), options),
        )
      },
    },
  })
  return { close: () => agent.destroy() }
}

function cancellable(agent: Agent, signal: () => AbortSignal | undefined): Dispatcher["request"] {
  const request = (
    call: Dispatcher.RequestOptions,
    done: (error: Error | null, answer: Dispatcher.ResponseData) => void,
  ) => agent.request({ ...call, origin: call.origin ?? "", signal: signal() ?? null }, done)
  return request as Dispatcher["request"]
}

function limitTime(exchange: Exchange, reply: FastifyReply): void {
  const timer = setTimeout(() => {
    exchange.ending ??= TIMEOUT
    exchange.cancel.abort()
    if (reply.raw.headersSent) reply.raw.destroy()
  }, exchange.deadline * 1000)
  reply.raw.once("close", () => clearTimeout(timer))
}

/** Streams a good answer to the client, its encoding as it came. What goes wrong once it began breaks the connection. */
async function relay(reply: FastifyReply, answer: UpstreamAnswer, options: ForwardOptions): Promise<void> {
  const { request } = reply
  const exchange = exchangeOf(request)
  answer.stream.once("error", () => exchange.cancel.abort()) // whoever reads it gets the error; unread, nobody needs it
  const headers = acceptAnswer(answer, {
    gzip: takesGzip(request.headers["accept-encoding"]),
    limit: options.responseBytes,
  })
  if (request.method === "HEAD") return void reply.code(200).headers(headers).send()
  const chunks = bounded(answer.stream, options.responseBytes, (bytes) => (exchange.bytes += bytes))
  // an answer that fails before its first byte can still become an error with a status
  const first = await chunks.next()
  reply.code(200).headers(headers)
  if (first.done === true) return void reply.send(Buffer.alloc(0))
  const rest = async function* (): AsyncGenerator<Buffer> {
    try {
      yield first.value
      yield* chunks
    } catch (error) {
      exchange.ending ??= ANSWER_BROKEN
      report(exchange.ending, error, options)
      throw error
    }
  }
  reply.send(Readable.from(rest(), { objectMode: false }))
}

function giveUp(reply: FastifyReply, reason: unknown, otherwise: FedstackError, options: ForwardOptions): void {
  const exchange = exchangeOf(reply.request)
  if (exchange.ending === CLIENT_GONE) return
  const error = giveName(exchange, reason, otherwise)
  report(error.code, reason, options)
  refuse(exchange, reply, error)
  exchange.cancel.abort()
}

function giveName(exchange: Exchange, reason: unknown, otherwise: FedstackError): FedstackError {
  if (exchange.ending === TIMEOUT) return upstreamTimeout({ seconds: exchange.deadline })
  return reason instanceof FedstackError ? reason : otherwise
}

function report(code: string, reason: unknown, { metrics, log }: ForwardOptions): void {
  if (code === CLIENT_GONE) return
  metrics.upstreamFailures.inc({ reason: code.toLowerCase() })
  log.warn({ code: code.toLowerCase(), cause: explain(reason) }, "no whole answer from Prometheus")
}
