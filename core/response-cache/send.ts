import type { ServerResponse } from "node:http"
import { defineError } from "#core/errors.ts"
import type { GrowingResponse } from "./growing.ts"
import type { StoredResponse } from "./stored.ts"

/** Sent with their status where the response has not begun; later they break the connection. */
export const responseTooLarge = defineError("RESPONSE_TOO_LARGE", 502, "The response is larger than {limit} bytes.")
export const tooManySeries = defineError("TOO_MANY_SERIES", 502, "The response has more than {limit} series.")

/** Where a response goes, and what was sent of it. */
export interface Recipient {
  /** Of the client, whose share of the memory it takes. */
  readonly name: string
  readonly response: ServerResponse
  /** HEAD: the headers alone. */
  readonly headOnly: boolean
  /** `responseBytes`: as it is sent. */
  readonly limits: { readonly responseBytes: number; readonly series: number }
  bytes: number
  series: number | undefined
  /** It cannot get a good response: an error with a status where nothing was sent, else a broken connection. */
  fail(error: unknown): void
}

/** Sends a stored response, which is held until the connection is done with it: mostly at once. */
export function sendStored(stored: StoredResponse, recipient: Recipient): void {
  const { content, headers, series } = stored
  const { response } = recipient
  const excess = excessOf(content.length, series, recipient.limits)
  if (excess !== undefined) return recipient.fail(excess)
  response.writeHead(200, headers as string[])
  if (recipient.headOnly) return void response.end()
  response.end(content)
  if (response.writableLength > 0) {
    stored.hold(recipient)
    response.once("close", () => stored.leave(recipient))
  }
  recipient.bytes = content.length
  recipient.series = series
}

/** Sends a response while it comes, as fast as the client reads, and ends it well only when all of it proved good. */
export function sendGrowing(growing: GrowingResponse, recipient: Recipient): void {
  const { response } = recipient
  // without chunks (HTTP/1.0) the end of the connection is the end of the response, even of one that was cut off
  const chunked = response.useChunkedEncodingByDefault
  let blocked = false
  const advance = (): void => {
    const { head, state } = growing
    if (response.writableEnded) return over() // with an error: the time was over
    if (state.kind === "failed") return over(() => recipient.fail(state.error))
    if (head === undefined) return
    const excess = excessOf(Math.max(growing.bytes, head.length ?? 0), growing.series, recipient.limits)
    if (excess !== undefined) return over(() => recipient.fail(excess))
    if (recipient.headOnly) {
      const length = head.length === undefined ? [] : ["content-length", String(head.length)]
      return over(() => response.writeHead(200, [...head.headers, ...length]).end())
    }
    // the headers wait for the first byte: until then a failure can be sent with its status
    if (blocked || (state.kind === "growing" && (link.next === undefined || !chunked))) return
    // no length, even where one was announced: the response must not be whole before it proved good
    const length = chunked ? [] : ["content-length", String(growing.bytes)]
    if (!response.headersSent) response.writeHead(200, [...head.headers, ...length])
    while (link.next !== undefined && !blocked) {
      link = link.next
      recipient.bytes += link.chunk.length
      blocked = !response.write(link.chunk)
    }
    if (state.kind !== "whole" || link.next !== undefined) return
    recipient.series = growing.series
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
    growing.leave(advance)
  }
  let link = growing.join(advance, recipient.name)
  response.on("drain", drained).once("close", left)
  advance()
}

function excessOf(bytes: number, series: number, limits: Recipient["limits"]): Error | undefined {
  if (bytes > limits.responseBytes) return responseTooLarge({ limit: limits.responseBytes })
  return series > limits.series ? tooManySeries({ limit: limits.series }) : undefined
}
