import type { Dispatcher } from "undici"
import { explain, FedstackError } from "#core/errors.ts"
import { type ResponseReceiver, sendRequest } from "#core/http/send-request.ts"
import { describeFailure } from "#core/http/connection-failure.ts"
import type { Logger } from "#core/log/logger.ts"
import type { ResponseSink } from "#core/response-cache/growing.ts"
import { Deadline } from "#core/retry/deadline.ts"
import {
  responseBroken,
  upstreamBadResponse,
  upstreamNotReady,
  upstreamTimeout,
  upstreamUnreachable,
} from "../errors.ts"
import type { ProxyMetrics } from "../metrics.ts"
import { type Accesses, openUpstreamAgents, type UpstreamAccess } from "./access.ts"
import { showUpstream, type UpstreamHealth } from "./health.ts"
import { type UpstreamRequest, upstreamHeaders } from "./request.ts"
import { type ResponseValidation, validateResponse } from "./validate.ts"

/** Seconds: where an address does not respond at all, the next upstream's turn comes before a scrape is over. */
const CONNECT_TIMEOUT = 3

/** The part of a response's time after which one that did not even begin counts as hanging, although no client waits longer. */
const HANGING = 0.1

/** Sends requests to Prometheus by connections of its own, whose certificates are verified. Closing ends them. */
export function openUpstream(health: UpstreamHealth, metrics: ProxyMetrics, log: Logger) {
  const agents = openUpstreamAgents(CONNECT_TIMEOUT)

  /** Rejects with an error of errors.ts, or with what the signal was aborted with. */
  async function fetch(request: UpstreamRequest, sink: ResponseSink, signal: AbortSignal): Promise<void> {
    const { timeout } = request.target
    using deadline = new Deadline(timeout, signal)
    const response = validateResponse(request, sink)
    let tried: URL | undefined
    try {
      await tryInTurn(request, response, deadline.signal, (upstream) => (tried = upstream))
      await response.end()
    } catch (error) {
      if (signal.aborted) throw signal.reason
      const failure = deadline.exceeded ? upstreamTimeout({ seconds: timeout }) : failureOf(error, response)
      if (deadline.exceeded && !response.begun && tried !== undefined) health.report(tried, false)
      const code = failure.code.toLowerCase()
      metrics.upstreamFailures.inc({ reason: code })
      const upstream = tried === undefined ? undefined : showUpstream(tried)
      // the error that a client receives has no cause; the log has it
      log.warn({ code, upstream, cause: explain(error) }, "no whole response from Prometheus")
      throw failure
    } finally {
      response.close()
    }
  }

  /** The response is that of the first upstream that can be reached and is not starting or stopping. */
  async function tryInTurn(
    request: UpstreamRequest,
    response: ResponseValidation,
    signal: AbortSignal,
    trying: (upstream: URL) => void,
  ): Promise<void> {
    const begin = performance.now()
    const observe = (): void => metrics.upstreamDuration.observe((performance.now() - begin) / 1000)
    let started = false
    let failure: FedstackError | undefined
    for (const upstream of health.healthiestFirst(request.target.upstreams)) {
      trying(upstream)
      const since = performance.now()
      const access = request.target.accesses.get(upstream.href) ?? NO_ACCESS
      const start: ResponseReceiver["start"] = (status, headers) => {
        if (status === 503) throw upstreamNotReady({})
        // no client's doing; another upstream may have other credentials
        if (status === 401 || status === 403) throw upstreamBadResponse({ problem: `its status is ${status}` })
        started = true
        observe()
        health.report(upstream, true)
        response.start(status, headers)
      }
      try {
        const receiver = { start, data: (chunk: Buffer) => response.data(chunk) }
        return await sendRequest(agents.of(access), upstreamOptions(upstream, request, access), receiver, signal)
      } catch (error) {
        if (started) throw error
        if (signal.aborted) {
          if (performance.now() - since > request.target.timeout * 1000 * HANGING) health.report(upstream, false)
          observe()
          throw error
        }
        failure = error instanceof FedstackError ? error : undefined
        const about = { upstream: showUpstream(upstream), cause: describeFailure(error).problem }
        if (failure === undefined) log.warn(about, "Prometheus cannot be reached")
        else if (failure.code === "UPSTREAM_BAD_RESPONSE") {
          log.warn(
            { ...about, cause: failure.message },
            "Prometheus refuses the proxy; check the credentials of this upstream",
          )
        }
      }
      health.report(upstream, false)
    }
    observe()
    throw failure ?? upstreamUnreachable({})
  }

  return { fetch, keep: (accesses: Accesses) => agents.keep(accesses), close: () => agents.close() }
}

const NO_ACCESS: UpstreamAccess = { shown: "" }

function upstreamOptions(
  { origin, pathname }: URL,
  request: UpstreamRequest,
  access: UpstreamAccess,
): Dispatcher.DispatchOptions {
  const path = `${pathname.replace(/\/+$/, "")}${request.target.path}?${request.query}`
  return { origin, path, method: "GET", headers: upstreamHeaders(request, access) }
}

function failureOf(error: unknown, { begun }: ResponseValidation): FedstackError {
  if (error instanceof FedstackError) return error
  return begun ? responseBroken({}) : upstreamBadResponse({ problem: "it broke off" })
}
