import { Agent, request } from "undici"
import type { Running } from "#core/component.ts"
import { explain, FedstackError } from "#core/errors.ts"
import type { Logger } from "#core/log.ts"
import {
  answerBroken,
  answerTooLarge,
  tooManySeries,
  upstreamBadAnswer,
  upstreamNotReady,
  upstreamTimeout,
  upstreamUnreachable,
} from "../errors.ts"
import type { ProxyMetrics } from "../metrics.ts"
import { type Accepted, acceptAnswer } from "./answer.ts"
import { inspect } from "./inspect.ts"
import { type UpstreamOrder, showUpstream } from "./order.ts"
import { type Question, upstreamHeaders } from "./question.ts"

/** Where an answer goes while it comes. */
export interface Sink {
  begin(answer: Accepted): void
  /** Throws where there is no room for it. */
  add(chunk: Buffer): void
  /** So far; it only grows. */
  setSeries(series: number): void
}

/** Resolves when a good answer is whole. Rejects with an error of errors.ts, or with whatever `signal` was aborted with. */
export type Fetch = (question: Question, sink: Sink, signal: AbortSignal) => Promise<void>

export interface UpstreamOptions {
  readonly order: UpstreamOrder
  readonly metrics: Pick<ProxyMetrics, "upstreamDuration" | "upstreamFailures">
  readonly log: Logger
}

/** Milliseconds: where an address does not answer at all, the next upstream's turn comes before a scrape is over. */
const CONNECT_TIMEOUT = 3000

export interface Upstream extends Running {
  readonly fetch: Fetch
}

/** Asks Prometheus by connections of its own, whose certificates are verified. Closing ends them. */
export function openUpstream(options: UpstreamOptions): Upstream {
  const { order, metrics, log } = options
  const agent = new Agent({
    headersTimeout: 0, // one deadline spans connecting, waiting and the body
    bodyTimeout: 0,
    maxHeaderSize: 16_384,
    connect: { timeout: CONNECT_TIMEOUT },
  })

  async function fetch(question: Question, sink: Sink, signal: AbortSignal): Promise<void> {
    const deadline = new AbortController()
    const timer = setTimeout(() => deadline.abort(), question.target.timeout * 1000)
    const cancel = (): void => deadline.abort(signal.reason)
    if (signal.aborted) cancel()
    signal.addEventListener("abort", cancel)
    let asked: URL | undefined
    let begun = false
    try {
      const begin = performance.now()
      const { answer, upstream } = await firstAnswer(question, deadline.signal, (next) => (asked = next)).finally(() =>
        metrics.upstreamDuration.observe((performance.now() - begin) / 1000),
      )
      asked = upstream
      answer.body.on("error", () => undefined) // whoever reads it gets the error too; unread, nobody needs it
      try {
        const accepted = acceptAnswer(answer.statusCode, answer.headers, question)
        await drain(answer.body, accepted, question, sink, () => (begun = true))
      } finally {
        answer.body.destroy()
      }
    } catch (error) {
      if (signal.aborted) throw signal.reason
      const failure = deadline.signal.aborted
        ? upstreamTimeout({ seconds: question.target.timeout })
        : error instanceof FedstackError
          ? error
          : begun
            ? answerBroken({})
            : upstreamBadAnswer({ problem: "it broke off" })
      if (deadline.signal.aborted && !begun && asked !== undefined) order.tell(asked, false)
      metrics.upstreamFailures.inc({ reason: failure.code.toLowerCase() })
      const upstream = asked === undefined ? undefined : showUpstream(asked)
      // an error that a client is told carries no cause; the log does
      const cause = explain(error)
      log.warn({ code: failure.code.toLowerCase(), upstream, cause }, "no whole answer from Prometheus")
      throw failure
    } finally {
      clearTimeout(timer)
      signal.removeEventListener("abort", cancel)
    }
  }

  /** Of the first upstream that can be reached and is not starting or stopping. */
  async function firstAnswer(question: Question, signal: AbortSignal, asking: (upstream: URL) => void) {
    const { path, upstreams } = question.target
    let failure = upstreamUnreachable({})
    for (const upstream of order.order(upstreams)) {
      asking(upstream)
      const url = `${upstream.origin}${upstream.pathname.replace(/\/+$/, "")}${path}?${question.query}`
      try {
        const answer = await request(url, { dispatcher: agent, headers: upstreamHeaders(question), signal })
        if (answer.statusCode !== 503) {
          order.tell(upstream, true)
          return { answer, upstream }
        }
        answer.body.on("error", () => undefined).destroy()
        failure = upstreamNotReady({})
      } catch (error) {
        if (signal.aborted) throw error
        failure = upstreamUnreachable({})
        log.warn({ upstream: showUpstream(upstream), cause: explain(error) }, "Prometheus can't be reached")
      }
      order.tell(upstream, false)
    }
    throw failure
  }

  return { fetch, close: () => agent.destroy() }
}

/** At full speed, so that Prometheus never waits for whoever reads the answer. */
async function drain(
  body: AsyncIterable<Buffer>,
  accepted: Accepted,
  { target }: Question,
  sink: Sink,
  begun: () => void,
): Promise<void> {
  let problem: Error | undefined
  const inspection = inspect(accepted, (found) => {
    problem ??= found
    sink.setSeries(inspection.series)
    if (inspection.series > target.series) problem ??= tooManySeries({ limit: target.series })
  })
  try {
    sink.begin(accepted)
    let bytes = 0
    for await (const chunk of body) {
      bytes += chunk.length
      if (bytes > target.bytes) throw answerTooLarge({ limit: target.bytes })
      inspection.add(chunk)
      if (problem !== undefined) throw problem
      begun()
      sink.add(chunk)
    }
    await inspection.end()
    if (problem !== undefined) throw problem
  } finally {
    inspection.close()
  }
}
