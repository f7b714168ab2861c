import type { IncomingMessage, ServerResponse } from "node:http"
import { explain, FedstackError } from "#core/errors.ts"
import type { Logger } from "#core/log/logger.ts"
import type { Forward } from "./forward/outcome.ts"
import { deliver, type Parts } from "./deliver.ts"
import { closing as isClosing, noAllowList } from "./errors.ts"
import { requireVersion } from "./message/announced.ts"
import { free } from "../wire/free.ts"
import { decodeBlock, decodedLength } from "../wire/snappy.ts"
import { combine } from "./outcome/combine.ts"
import { whyRejected } from "./outcome/lines.ts"
import { RequestKey } from "./outcome/request-key.ts"
import type { Resends } from "./outcome/resends.ts"
import { SenderGone, readBody } from "./receive/body.ts"
import { type BodyLimit, type Head, readHead } from "./receive/head.ts"
import type { Room } from "./receive/room.ts"
import { rulesId } from "./rules-id.ts"
import { createRefusalLog } from "./refusal-log.ts"
import { sendError, sendWrite } from "./respond.ts"
import type { CurrentRouting } from "./routing/open-routing.ts"
import type { Routing } from "./routing/routing.ts"
import type { Admit, Admitted } from "./admit.ts"
import type { ProxyMetrics } from "./metrics.ts"
import type { Split } from "./split/slice.ts"
import type { Version } from "./message/version.ts"

export interface WriteContext {
  readonly admit: Admit
  readonly routing: CurrentRouting["current"]
  readonly split: (message: Buffer, version: Version, admitted: Admitted, routing: Routing) => Split
  readonly forward: Forward
  readonly resends: Resends
  readonly room: Room
  readonly body: BodyLimit
  readonly decodedBytes: number
  readonly limitedTime: number
  readonly metrics: ProxyMetrics
  readonly log: Logger
  /** Milliseconds of a clock that only goes forward. */
  readonly now: () => number
}

/** Reasons in a line of the log. */
const SHOWN = 3

/** Handles requests that write, whatever their path. */
export function createWrites(context: WriteContext) {
  const { admit, room, resends, metrics, log, now } = context
  const report = createRefusalLog(log, now)
  let ending = false

  /** From the request to its response. Throws what is refused before anything is sent. */
  async function write(
    request: IncomingMessage,
    response: ServerResponse,
    seen: Seen,
    gone: AbortSignal,
  ): Promise<void> {
    if (ending) throw isClosing({})
    using admitted = await admit(request, response)
    if (admitted === undefined) return
    seen.sender = admitted.name
    const head = readHead(request, context.body)
    seen.head = head
    const routing = context.routing()
    if ("notReady" in routing) throw noAllowList({ reason: routing.notReady })
    using reservation = room.enter(admitted.name, head.length ?? 0, admitted.bytesInFlight)
    if (head.expectsContinue) response.writeContinue()
    const body = await readBody(request, context.body, reservation)
    reservation.add(decodedLength(body, context.decodedBytes))
    const message = decodeBlock(body, context.decodedBytes)
    metrics.read(body.length, message.length)
    requireVersion(message, head.version)
    const split = context.split(message, head.version, admitted, routing)
    // slices of version 2 are written when their request is, some of them twice
    if (head.version === 1) free(message)
    metrics.split(split)
    admitted.take(split.received)
    const key = new RequestKey(admitted.name, head.version, body)
    const rules = () => rulesId(routing, admitted.sender)
    const parts = await deliver({ key, split, rules, attempt: head.attempt, gone }, context)
    if (head.version === 2) free(message)
    const willBeResent = parts.values().some(({ verdict }) => verdict === "retryable" || verdict === "limited")
    // before the resend can come
    if (willBeResent) resends.note(key, rules, parts, true)
    await respond(response, head, split, parts)
    if (!willBeResent) resends.note(key, rules, parts, response.writableFinished)
    noteSplit(admitted.name, split)
    note(admitted.name, parts)
    admitted.wrote(acceptedSeries(parts), split.rejectedSeries)
  }

  function respond(response: ServerResponse, { version, attempt }: Head, split: Split, parts: Parts): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    if (response.destroyed) resolve()
    else response.once("close", resolve)
    if (ending) response.shouldKeepAlive = false
    sendWrite(response, combine(version, split, [...parts.values()], attempt ?? 0))
    return promise
  }

  /** What does not get to the tenant that its sender means, which otherwise the sender alone knows, or nobody. */
  function noteSplit(sender: string, { rejected, rejectedSeries, ignored }: Split): void {
    const about = sender === "" ? {} : { sender }
    if (rejectedSeries > 0)
      report(`${sender} set aside`, "series were set aside, their sender gets 400", () => ({
        ...about,
        series: rejectedSeries,
        reason: rejected.slice(0, SHOWN).map(whyRejected).join("; "),
      }))
    if (ignored.series > 0)
      report(`${sender} ignored`, "series name a tenant that is not accepted, which counts as a missing label", () => ({
        ...about,
        series: ignored.series,
        reason: ignored.reasons.join("; "),
      }))
  }

  function note(sender: string, parts: Parts): void {
    metrics.delivered([...parts.values()])
    for (const { slice, outcome, verdict, remembered, givenUpAfter } of parts.values()) {
      if (verdict === "accepted" || remembered) continue
      report(`${slice.tenant} ${verdict} ${outcome.status}`, "a tenant's slice was not accepted", () => ({
        tenant: slice.tenant,
        verdict,
        status: outcome.status,
        series: slice.series,
        sender: sender || undefined,
        given_up_after: givenUpAfter,
        reason: outcome.kind === "failed" ? outcome.reason : "the upstream wrote nothing",
      }))
    }
  }

  function refuse(response: ServerResponse, error: unknown, { sender, head }: Seen): void {
    if (error instanceof SenderGone) return void response.destroy()
    const known = error instanceof FedstackError ? error : undefined
    if (known === undefined) log.error({ reason: explain(error) }, "request failed")
    else
      report(`${sender} ${known.code}`, "a request was refused", () => ({
        sender: sender || undefined,
        remote: response.req.socket.remoteAddress,
        status: known.status,
        reason: known.message,
      }))
    sendError(response, error, { version: head?.version, attempt: head?.attempt, ending })
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const begin = now()
    const gone = new AbortController()
    const seen: Seen = { sender: "", head: undefined }
    metrics.inFlight.inc()
    response.once("close", () => {
      if (!response.writableFinished) gone.abort()
      const status = response.headersSent ? response.statusCode : 499
      metrics.finished(status, (now() - begin) / 1000)
    })
    try {
      await write(request, response, seen, gone.signal)
    } catch (error) {
      refuse(response, error, seen)
    } finally {
      metrics.inFlight.dec()
    }
  }

  return {
    handle: (request: IncomingMessage, response: ServerResponse) => void handle(request, response),
    /** Refuses what comes from now on. */
    end(): void {
      ending = true
    },
  }
}

/** Those of slices that were accepted now, not by an earlier request. */
function acceptedSeries(parts: Parts): number {
  let series = 0
  for (const { slice, verdict, remembered } of parts.values()) {
    if (verdict === "accepted" && !remembered) series += slice.series
  }
  return series
}

/** What is known of a request so far. */
interface Seen {
  sender: string
  head: Head | undefined
}
