import { Agent } from "undici"
import type { Closable } from "#core/closable.ts"
import { explain, FedstackError } from "#core/errors.ts"
import type { Logger } from "#core/log/logger.ts"
import { Deadline } from "#core/retry/deadline.ts"
import { answerBroken, upstreamBadAnswer, upstreamNotReady, upstreamTimeout, upstreamUnreachable } from "../errors.ts"
import type { ProxyMetrics } from "../metrics.ts"
import { get, type Receiver } from "./get.ts"
import { type Intake, type Sink, takeIn } from "./intake.ts"
import { type UpstreamOrder, showUpstream } from "./order.ts"
import type { Question } from "./question.ts"

/** Resolves when a good answer is whole. Rejects with an error of errors.ts, or with whatever `signal` was aborted with. */
export type Fetch = (question: Question, sink: Sink, signal: AbortSignal) => Promise<void>

export interface UpstreamOptions {
  readonly order: UpstreamOrder
  readonly metrics: Pick<ProxyMetrics, "upstreamDuration" | "upstreamFailures">
  readonly log: Logger
}

/** Milliseconds: where an address does not answer at all, the next upstream's turn comes before a scrape is over. */
const CONNECT_TIMEOUT = 3000

/** The part of an answer's time after which one that did not even begin counts as hanging, also where nobody waits longer. */
const HANGING = 0.1

export interface Upstream extends Closable {
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
    allowH2: false, // undici takes an answer that is cancelled in the middle for a whole one
  })

  async function fetch(question: Question, sink: Sink, signal: AbortSignal): Promise<void> {
    using deadline = new Deadline(question.target.timeout, signal)
    let asked: URL | undefined
    const intake = takeIn(question, sink)
    try {
      await askInTurn(question, intake, deadline.signal, (upstream) => (asked = upstream))
      await intake.end()
    } catch (error) {
      if (signal.aborted) throw signal.reason
      const failure = deadline.signal.aborted
        ? upstreamTimeout({ seconds: question.target.timeout })
        : error instanceof FedstackError
          ? error
          : intake.begun
            ? answerBroken({})
            : upstreamBadAnswer({ problem: "it broke off" })
      if (deadline.signal.aborted && !intake.begun && asked !== undefined) order.tell(asked, false)
      metrics.upstreamFailures.inc({ reason: failure.code.toLowerCase() })
      const upstream = asked === undefined ? undefined : showUpstream(asked)
      // an error that a client is told carries no cause; the log does
      const cause = explain(error)
      log.warn({ code: failure.code.toLowerCase(), upstream, cause }, "no whole answer from Prometheus")
      throw failure
    } finally {
      intake.close()
    }
  }

  /** The first upstream that can be reached and is not starting or stopping gives the answer. */
  async function askInTurn(question: Question, intake: Intake, signal: AbortSignal, asking: (upstream: URL) => void) {
    const begin = performance.now()
    let answered = false
    const settled = (): void => metrics.upstreamDuration.observe((performance.now() - begin) / 1000)
    let failure: FedstackError | undefined
    for (const upstream of order.order(question.target.upstreams)) {
      asking(upstream)
      const asked = performance.now()
      const start: Receiver["start"] = (status, headers) => {
        if (status === 503) throw upstreamNotReady({})
        answered = true
        settled()
        order.tell(upstream, true)
        intake.start(status, headers)
      }
      try {
        return await get(agent, upstream, question, { start, data: (chunk) => intake.data(chunk) }, signal)
      } catch (error) {
        if (answered) throw error
        if (signal.aborted) {
          if (performance.now() - asked > question.target.timeout * 1000 * HANGING) order.tell(upstream, false)
          break
        }
        const notReady = error instanceof FedstackError
        failure = notReady ? error : undefined
        if (!notReady)
          log.warn({ upstream: showUpstream(upstream), cause: explain(error) }, "Prometheus can't be reached")
      }
      order.tell(upstream, false)
    }
    settled()
    throw failure ?? upstreamUnreachable({})
  }

  return { fetch, close: () => agent.destroy() }
}
