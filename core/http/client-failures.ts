import { LRUCache } from "lru-cache"
import { Counter, type Registry } from "prom-client"
import type { Logger } from "#core/log/logger.ts"
import { networkOf } from "#core/limits/networks.ts"
import { type Rate, tokenBucket } from "#core/limits/token-bucket.ts"

const REFUSED = "client refused"
const HANDSHAKE = "TLS handshake failed"

/** Why a connection of a client ended without a request that was handled: the label of the metric, and the line of the log. */
const FAILURES = {
  plain_http: [HANDSHAKE, "plain HTTP on a port that speaks TLS; the client's URL must begin with https://"],
  not_tls: [HANDSHAKE, "what came is not TLS"],
  certificate_rejected: [HANDSHAKE, "the client does not accept this server's certificate"],
  client_certificate: [REFUSED, "it sent no certificate"],
  tls_version: [HANDSHAKE, "there is no TLS version, cipher suite or protocol in common"],
  handshake_timeout: [HANDSHAKE, "it was not over in time"],
  handshake_closed: [HANDSHAKE, "the client closed the connection"],
  tls: [HANDSHAKE, "the client and OpenSSL do not agree"],
  headers_too_large: [REFUSED, "the target and headers of its request are too large"],
  unfinished_headers: [
    REFUSED,
    "unfinished requests of all clients take too much memory, and its was among the largest",
  ],
  request_timeout: [REFUSED, "its request took too long to arrive"],
  malformed: [REFUSED, "it sent what is not a valid HTTP request"],
  pipelined: [REFUSED, "it sent request upon request without waiting for responses"],
} as const

export type ClientFailure = keyof typeof FAILURES

/** Lines of the log, of all clients together. */
const LOGGED: Rate = { perSecond: 0.2, burst: 20 }
/** Milliseconds for which a failure of a client is not logged again. */
const REPEATED = 600_000
/** Milliseconds between two lines with the number of those that were not logged. */
const REPORT = 60_000

const NAME = "fedstack_web_client_failures_total"

export type ClientFailures = ReturnType<typeof watchClientFailures>

/** Logs and counts failures of clients without authentication: the log grows slowly, whatever they do. `now`: milliseconds. */
export function watchClientFailures(
  { log, registry, listener }: { readonly log: Logger; readonly registry?: Registry | undefined; listener: string },
  now: () => number = () => performance.now(),
) {
  const counter = registry === undefined ? undefined : counterIn(registry)
  for (const reason of Object.keys(FAILURES)) counter?.inc({ listener, reason }, 0)
  const lines = tokenBucket(LOGGED, now)
  const logged = new LRUCache<string, number>({ max: 1000 })
  let unlogged = 0
  let timer: NodeJS.Timeout | undefined
  const report = (): void => {
    clearTimeout(timer)
    timer = undefined
    if (unlogged > 0)
      log.warn(
        { listener, failures: unlogged },
        "more clients refused and TLS handshakes failed, not logged one by one",
      )
    unlogged = 0
  }
  return {
    /** `text`: more than is known from the failure alone, with nothing in it that the client sent. */
    note(failure: ClientFailure, client: string | undefined, text?: string): void {
      counter?.inc({ listener, reason: failure })
      const [message, problem] = FAILURES[failure]
      const fields = { client, reason: text ?? problem, failure, listener }
      // as load balancers do to see whether the port is open
      if (failure === "handshake_closed") return log.debug(fields, message)
      const key = `${networkOf(client ?? "")} ${failure}`
      const last = logged.get(key)
      if ((last === undefined || now() - last >= REPEATED) && lines.take() === 0) {
        logged.set(key, now())
        return log.warn(fields, message)
      }
      unlogged++
      timer ??= setTimeout(report, REPORT).unref()
    },
    close: report,
  }
}

function counterIn(registry: Registry): Counter<"listener" | "reason"> {
  const existing = registry.getSingleMetric(NAME)
  if (existing instanceof Counter) return existing
  const help = "Connections of clients that ended without a request that was handled, in or after the TLS handshake."
  return new Counter({ name: NAME, help, labelNames: ["listener", "reason"], registers: [registry] })
}
