import type { ServerResponse } from "node:http"
import { answerTooLarge, tooManySeries } from "../errors.ts"
import type { ClientLimits } from "../policy/types.ts"
import type { Body } from "./body.ts"
import type { Stored } from "./stored.ts"

/** Where an answer goes, and what account is kept of it. */
export interface Recipient {
  readonly response: ServerResponse
  /** HEAD: the headers alone. */
  readonly headOnly: boolean
  readonly limits: Pick<ClientLimits, "responseBytes" | "series">
  bytes: number
  series: number | undefined
  /** It can't get a good answer: an error with a status where nothing was sent, else a broken connection. */
  fail(error: unknown): void
}

/** Sends a stored answer, which is held until the connection is done with it: mostly at once. */
export function sendStored(stored: Stored, recipient: Recipient): void {
  const { content, headers, series } = stored
  const { response } = recipient
  const excess = excessOf(content.length, series, recipient.limits)
  if (excess !== undefined) return recipient.fail(excess)
  response.writeHead(200, headers as string[])
  if (recipient.headOnly) return void response.end()
  response.end(content)
  if (response.writableLength > 0) {
    stored.hold()
    response.once("close", () => stored.release())
  }
  recipient.bytes = content.length
  recipient.series = series
}

/** Sends an answer while it comes, as fast as the client reads, and ends it well only when all of it proved good. */
export function sendGrowing(body: Body, recipient: Recipient): void {
  const { response } = recipient
  // without chunks (HTTP/1.0) the end of the connection is the end of the answer, even of one that was cut off
  const chunked = response.useChunkedEncodingByDefault
  let blocked = false
  const advance = (): void => {
    const { answer, state } = body
    if (response.writableEnded) return over() // with an error: the time was over
    if (state.kind === "failed") return over(() => recipient.fail(state.error))
    if (answer === undefined) return
    const excess = excessOf(Math.max(body.bytes, answer.length ?? 0), body.series, recipient.limits)
    if (excess !== undefined) return over(() => recipient.fail(excess))
    if (recipient.headOnly) return over(() => sendHead(response, answer.headers, answer.length))
    // the headers wait for the first byte: until then a failure can be told with its status
    if (blocked || (state.kind === "growing" && (link.next === undefined || !chunked))) return
    // no length, even where one was announced: the answer must not be whole before it proved good
    const length = chunked ? [] : ["content-length", String(body.bytes)]
    if (!response.headersSent) response.writeHead(200, [...answer.headers, ...length])
    while (link.next !== undefined && !blocked) {
      link = link.next
      recipient.bytes += link.chunk.length
      blocked = !response.write(link.chunk)
    }
    if (state.kind !== "whole" || link.next !== undefined) return
    recipient.series = body.series
    over(() => response.end())
  }
  const drained = (): void => {
    blocked = false
    advance()
  }
  const left = (): void => over()
  const over = (last?: () => void): void => {
    response.off("drain", drained).off("close", left)
    last?.()
    body.leave(advance)
  }
  let link = body.join(advance)
  response.on("drain", drained).once("close", left)
  advance()
}

function sendHead(response: ServerResponse, headers: readonly string[], length: number | undefined): void {
  response.writeHead(200, length === undefined ? [...headers] : [...headers, "content-length", String(length)])
  response.end()
}

function excessOf(bytes: number, series: number, limits: Recipient["limits"]): Error | undefined {
  if (bytes > limits.responseBytes) return answerTooLarge({ limit: limits.responseBytes })
  return series > limits.series ? tooManySeries({ limit: limits.series }) : undefined
}
