import type { FastifyReply, FastifyRequest } from "fastify"
import { FedstackError } from "#core/errors.ts"
import type { Logger } from "#core/log.ts"
import { printSelector, type Selector } from "#core/promql/selector.ts"
import type { ProxyMetrics } from "./metrics.ts"
import type { Client } from "./policy/types.ts"

/** One request from its arrival to its end: what was found out about it on the way. */
export interface Exchange {
  client?: Client
  selectors: readonly Selector[]
  /** Aborted when the client goes away or the time is over: the request to Prometheus ends with it. */
  readonly cancel: AbortController
  /** Seconds that Prometheus is given for its whole answer. */
  deadline: number
  /** Ends the measurement of the time that Prometheus took to begin its answer. */
  forwarded?: () => void
  /** Bytes of the answer that came from Prometheus. */
  bytes: number
  /** Why it ended as it did: a code of errors.ts or one of the endings below; undefined while all is well. */
  ending?: string
  /** More about a refusal, for the log alone. */
  detail?: string
}

/** Endings that the client can't be told any more: its connection is broken instead. */
export const ANSWER_BROKEN = "ANSWER_BROKEN"
export const CLIENT_GONE = "CLIENT_GONE"

const exchanges = new WeakMap<FastifyRequest, Exchange>()

export function exchangeOf(request: FastifyRequest): Exchange {
  const exchange = exchanges.get(request)
  if (exchange === undefined) throw new Error("a request without an exchange")
  return exchange
}

/** Starts to keep account of a request; when its connection is done with it, logs one line and counts it. */
export function openExchange(
  request: FastifyRequest,
  reply: FastifyReply,
  { metrics, log }: { readonly metrics: ProxyMetrics; readonly log: Logger },
): Exchange {
  const exchange: Exchange = { selectors: [], cancel: new AbortController(), deadline: 0, bytes: 0 }
  exchanges.set(request, exchange)
  const begin = performance.now()
  metrics.inFlight.inc()
  reply.raw.once("close", () => {
    const sent = reply.raw.writableFinished
    if (!sent) exchange.ending ??= CLIENT_GONE
    exchange.cancel.abort()
    const client = exchange.client?.name ?? ""
    // 499 as in nginx: nobody was there to be answered
    const code = reply.raw.headersSent ? reply.raw.statusCode : 499
    const reason = (exchange.ending ?? "ok").toLowerCase()
    const seconds = (performance.now() - begin) / 1000
    metrics.inFlight.dec()
    metrics.requests.inc({ client, code, reason })
    metrics.duration.observe(seconds)
    if (client !== "") metrics.responseBytes.inc({ client }, exchange.bytes)
    const level = code >= 500 || reason === "answer_broken" ? "warn" : "info"
    log[level](
      {
        method: request.method,
        ...shownPath(request, exchange),
        ...(client === "" ? {} : { client }),
        remote: request.ip,
        ...(exchange.selectors.length === 0 ? {} : { match: exchange.selectors.map(printSelector).join(" ") }),
        status: code,
        reason,
        ...(exchange.detail === undefined ? {} : { detail: exchange.detail }),
        bytes: exchange.bytes,
        seconds: Number(seconds.toFixed(6)),
      },
      "request",
    )
  })
  return exchange
}

/** Without the query, and of strangers only the one path that exists: people put tokens into both. */
function shownPath(request: FastifyRequest, { client }: Exchange): { path?: string } {
  const path = request.originalUrl.split("?", 1)[0] ?? ""
  return path === "/federate" || client !== undefined ? { path: path.slice(0, 100) } : {}
}

/** Answers with an error, and keeps its code for the log and the metrics. */
export function refuse(exchange: Exchange, reply: FastifyReply, error: unknown): FastifyReply {
  exchange.ending ??= error instanceof FedstackError ? error.code : "INTERNAL"
  if (error instanceof FedstackError && error.status === 401) reply.header("www-authenticate", "Bearer")
  if (error instanceof FedstackError && error.status === 405) reply.header("allow", "GET, HEAD")
  return reply.send(error)
}
