import { explain } from "#core/errors.ts"
import { failureClass } from "#core/http/connection-failure.ts"
import { statusReason } from "#core/http/status.ts"
import type { Logger } from "#core/log/logger.ts"
import { backoff } from "#core/retry/backoff.ts"
import { Deadline } from "#core/retry/deadline.ts"
import { isEqual, NO_COUNTS, sumOf } from "../message/counts.ts"
import { refusalOf } from "./admission.ts"
import { bodyOf } from "./batch.ts"
import type { ForwardBounds } from "./bounds.ts"
import { requestHeaders } from "./headers.ts"
import type { ForwardMetrics, Result } from "./metrics.ts"
import type { Forward, Outcome } from "./outcome.ts"
import { isResponse } from "./post.ts"
import { outcomeOf } from "./response.ts"
import { createSchedule } from "./schedule.ts"
import type { TenantQueue, Waiting } from "./tenant-queue.ts"
import type { Send } from "./upstreams.ts"

export interface ForwardContext {
  readonly bounds: ForwardBounds
  /** Sent with every request: names and values in turn. */
  readonly headers: readonly string[]
  readonly send: Send
  readonly metrics: ForwardMetrics
  readonly log: Logger
  /** Milliseconds since 1970, for dates of upstreams. */
  readonly now: () => number
  /** Milliseconds of a clock that only goes forward. */
  readonly milliseconds: () => number
}

/** Seconds that a tenant's slices are sent apart after a shared request that failed. */
const APART = { least: 5, most: 300 }

/** What is known of a request that is over. */
interface Delivery {
  readonly outcome: Outcome
  readonly result: Result
}

/** Sends slices, those of several senders in one request where they wait anyway. */
export function createForward({ bounds, headers, send, metrics, log, now, milliseconds }: ForwardContext) {
  const schedule = createSchedule(bounds, deliver, milliseconds)

  const settle = (waiting: Waiting, { outcome, result }: Delivery): void => {
    clearTimeout(waiting.timer)
    metrics.of(waiting.slice.tenant).settled(result, waiting.slice.series, outcome.written)
    waiting.settle(outcome)
  }

  /** Of slices that wait in one lane, and leave in one request. */
  async function deliver(queue: TenantQueue, taken: readonly Waiting[]): Promise<void> {
    for (const waiting of taken) clearTimeout(waiting.timer)
    const slices = taken.filter(({ options }) => !options.signal.aborted)
    for (const waiting of taken) if (waiting.options.signal.aborted) settle(waiting, GONE)
    const [first] = slices
    if (first === undefined) return
    const body = encode(slices)
    if (body !== undefined) share(queue, slices, await request(first, slices, body))
    else if (slices.length > 1) sendSingly(queue, slices)
    else settle(first, failed("internal", "it cannot be encoded, which is a defect of the proxy"))
  }

  function encode(slices: readonly Waiting[]): Buffer | undefined {
    const [first] = slices
    try {
      return (
        first &&
        bodyOf(
          first.slice.version,
          slices.map(({ slice }) => slice),
        )
      )
    } catch (error) {
      log.error({ tenant: first?.slice.tenant, slices: slices.length, reason: explain(error) }, "encoding failed")
      return undefined
    }
  }

  async function request(first: Waiting, slices: readonly Waiting[], body: Buffer): Promise<Delivery> {
    const { tenant, version } = first.slice
    const attempts = slices.map(({ options }) => options.retryAttempt ?? 0)
    const attempt = Math.max(...attempts)
    const begin = milliseconds()
    // what was sent once already has what is left of its time
    const left = first.alone ? bounds.waitingSeconds + bounds.timeout - (begin - first.since) / 1000 : bounds.timeout
    using deadline = new Deadline(Math.min(bounds.timeout, Math.max(1, left)))
    const response = await send({ headers: requestHeaders(tenant, version, attempt, headers), body }, deadline)
    const delivery = isResponse(response)
      ? of(outcomeOf(version, sumOf(slices.map(({ slice }) => slice.counts)), response, now()))
      : failed(failureClass(response.failure), response.reason)
    const seconds = (milliseconds() - begin) / 1000
    const isFailure = delivery.outcome.kind === "failed"
    metrics.of(tenant).requested({ slices: slices.length, bytes: body.length, seconds, failed: isFailure })
    return delivery
  }

  /** Everybody's own outcome of a request that several share. */
  function share(queue: TenantQueue, slices: readonly Waiting[], delivery: Delivery): void {
    const { outcome } = delivery
    if (slices.length === 1) for (const waiting of slices) settle(waiting, delivery)
    else if (outcome.kind === "accepted" && isWhole(outcome, slices)) {
      queue.apartFailures = 0
      for (const waiting of slices)
        settle(waiting, { ...delivery, outcome: { ...outcome, written: waiting.slice.counts } })
    } else {
      if (outcome.kind === "failed") keepApart(queue)
      if (outcome.kind === "failed" && isOfAll(outcome.status))
        for (const waiting of slices) settle(waiting, { ...delivery, outcome: { ...outcome, written: NO_COUNTS } })
      else sendSingly(queue, slices)
    }
  }

  /**
   * The next failure hits one of them alone. After a refusal, too: what is valid in a refused request is stored, and an
   * upstream takes it for out of order when it comes again together with newer samples of its series.
   */
  function keepApart(queue: TenantQueue): void {
    queue.apartFailures++
    queue.apartUntil = milliseconds() + backoff(queue.apartFailures, APART) * 1000
  }

  /** So that a refusal reaches the one whose it is, and each gets its own counts. */
  function sendSingly(queue: TenantQueue, slices: readonly Waiting[]): void {
    metrics.of(queue.tenant).resent(slices.length)
    for (const waiting of slices.toReversed()) {
      waiting.alone = true
      wait(queue, waiting)
    }
  }

  function wait(queue: TenantQueue, waiting: Waiting): void {
    waiting.timer = setTimeout(() => {
      if (queue.remove(waiting))
        settle(
          waiting,
          overloaded("queue_timeout", `it waited ${bounds.waitingSeconds} s for its turn: upstream requests take long`),
        )
    }, bounds.waitingSeconds * 1000)
    schedule.add(queue, waiting)
  }

  const overloaded = (result: Result, reason: string): Delivery => ({
    result,
    outcome: { kind: "failed", status: 503, retryAfter: Math.ceil(bounds.waitingSeconds), written: NO_COUNTS, reason },
  })

  const forward: Forward = (slice, options) => {
    const { promise, resolve } = Promise.withResolvers<Outcome>()
    const waiting: Waiting = { slice, options, since: milliseconds(), alone: false, timer: undefined, settle: resolve }
    const queue = schedule.queueOf(slice.tenant)
    const refusal =
      queue === undefined ? "too many tenants have requests under way" : refusalOf(slice, queue, schedule.all, bounds)
    if (queue === undefined || refusal !== undefined) settle(waiting, overloaded("queue_full", refusal ?? ""))
    else wait(queue, waiting)
    return promise
  }
  return { forward, queues: schedule.queues }
}

const failed = (result: Result, reason: string): Delivery => ({
  result,
  outcome: { kind: "failed", status: 0, written: NO_COUNTS, reason },
})

/** Nobody reads it. */
const GONE = failed("sender_gone", "the sender closed the connection")

const of = (outcome: Outcome): Delivery => ({
  outcome,
  result: outcome.kind === "accepted" ? "accepted" : statusReason(outcome.status),
})

/** 202: one of them is another replica's, and it is not known which. */
const isWhole = ({ status, written }: Outcome, slices: readonly Waiting[]): boolean =>
  status !== 202 && isEqual(written, sumOf(slices.map(({ slice }) => slice.counts)))

/** Whether a failure is not one of what was sent: all senders repeat it. */
const isOfAll = (status: number): boolean =>
  status < 400 || status === 502 || status === 503 || status === 504 || status === 529
