import type { Dispatcher } from "undici"
import { explain, FedstackError } from "#core/errors.ts"
import { type ResponseReceiver, sendRequest } from "#core/http/send-request.ts"
import { describeFailure } from "#core/http/connection-failure.ts"
import type { Logger } from "#core/log/logger.ts"
import type { ResponseSink } from "#core/response-cache/growing.ts"
import { Deadline } from "#core/retry/deadline.ts"
import {
  isOfClients,
  queryRejected,
  queryTimeout,
  responseBroken,
  upstreamBadResponse,
  upstreamNotReady,
  upstreamTimeout,
  upstreamUnreachable,
} from "../errors.ts"
import type { ProxyMetrics } from "../metrics.ts"
import { type Accesses, openUpstreamAgents, type UpstreamAccess } from "#core/federation/upstreams/access.ts"
import { showUpstream, suspectedAfter, type UpstreamHealth } from "#core/http/upstream-health.ts"
import { createProbe } from "./probe.ts"
import { type UpstreamRequest, upstreamHeaders } from "./request.ts"
import { type ResponseValidation, StatusOfRequest, validateResponse } from "./validate.ts"

/** Seconds: where an address does not respond at all, the next upstream's turn comes before a scrape is over. */
const CONNECT_TIMEOUT = 3

/** Milliseconds that a good response shows that Prometheus works. */
const RECENT = 10_000

/** Sends requests to Prometheus by connections of its own, whose certificates are verified. Closing ends them. */
export function openUpstream(health: UpstreamHealth, metrics: ProxyMetrics, log: Logger) {
  const agents = openUpstreamAgents(CONNECT_TIMEOUT)
  const probe = createProbe(health, sendTo)

  function sendTo(
    upstream: URL,
    request: UpstreamRequest,
    receiver: ResponseReceiver,
    signal: AbortSignal,
  ): Promise<void> {
    const access = request.target.accesses.get(upstream.href) ?? NO_ACCESS
    return sendRequest(agents.of(access), upstreamOptions(upstream, request, access), receiver, signal)
  }

  /** Rejects with an error of errors.ts, or with what the signal was aborted with. */
  async function fetch(request: UpstreamRequest, sink: ResponseSink, signal: AbortSignal): Promise<void> {
    const { timeout } = request.target
    using deadline = new Deadline(timeout, signal)
    const response = validateResponse(request, sink)
    const begin = health.now()
    let tried: URL | undefined
    // the probe has as much time again: it distinguishes a request that is too much from a Prometheus that serves no client
    const suspicion = suspectedAfter(timeout)
    const suspect = setTimeout(() => tried && void probe(tried, request, suspicion, begin), suspicion * 1000).unref()
    try {
      await tryInTurn(request, response, deadline.signal, (upstream) => (tried = upstream))
      await response.end()
      if (tried !== undefined) health.worked(tried)
    } catch (error) {
      if (signal.aborted) {
        const seconds = Math.round(health.now() - begin) / 1000
        if (seconds > suspicion && tried !== undefined && !response.begun && !health.workedSince(tried, begin)) {
          reported(upstreamTimeout({ seconds }), tried)
        }
        throw signal.reason
      }
      const failure = deadline.exceeded
        ? timeoutOf(request, begin, tried, response)
        : await failureOf(error, response, request, tried)
      reported(failure, tried, error)
      throw failure
    } finally {
      clearTimeout(suspect)
      response.close()
    }
  }

  /** The error that a client receives has no cause; the log has it. */
  function reported(failure: FedstackError, tried: URL | undefined, cause: unknown = failure): void {
    const code = failure.code.toLowerCase()
    const fields = { code, upstream: tried && showUpstream(tried), cause: explain(cause) }
    if (isOfClients(failure)) log.info(fields, "Prometheus works, and a request is too much for it or for a limit")
    else {
      metrics.upstreamFailures.inc({ reason: code })
      log.warn(fields, "no whole response from Prometheus")
    }
  }

  function timeoutOf(
    { target: { timeout } }: UpstreamRequest,
    begin: number,
    tried: URL | undefined,
    { begun }: ResponseValidation,
  ): FedstackError {
    if (tried !== undefined && health.workedSince(tried, begin)) return queryTimeout({ seconds: timeout })
    if (tried !== undefined && !begun) health.report(tried, false)
    return upstreamTimeout({ seconds: timeout })
  }

  async function failureOf(
    error: unknown,
    { begun }: ResponseValidation,
    request: UpstreamRequest,
    tried: URL | undefined,
  ): Promise<FedstackError> {
    if (error instanceof FedstackError) return error
    if (!(error instanceof StatusOfRequest))
      return begun ? responseBroken({}) : upstreamBadResponse({ problem: "it broke off" })
    const seconds = suspectedAfter(request.target.timeout)
    const works = tried !== undefined && (await probe(tried, request, seconds, health.now() - RECENT))
    return works ? queryRejected({ status: error.status }) : upstreamBadResponse({ problem: error.message })
  }

  /** The response is that of the first upstream that can be reached and is not starting or stopping. */
  async function tryInTurn(
    request: UpstreamRequest,
    response: ResponseValidation,
    signal: AbortSignal,
    trying: (upstream: URL) => void,
  ): Promise<void> {
    const begin = performance.now()
    const began = health.now()
    const observe = (): void => metrics.upstreamDuration.observe((performance.now() - begin) / 1000)
    let started = false
    let failure: FedstackError | undefined
    for (const upstream of health.healthiestFirst(request.target.upstreams)) {
      trying(upstream)
      const since = health.now()
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
        return await sendTo(upstream, request, receiver, signal)
      } catch (error) {
        if (started) throw error
        if (signal.aborted) {
          const hangs = health.now() - since > suspectedAfter(request.target.timeout) * 1000
          if (hangs && !health.workedSince(upstream, began)) health.report(upstream, false)
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
