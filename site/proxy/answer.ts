import type { IncomingHttpHeaders } from "node:http"
import type { Readable } from "node:stream"
import { answerTooLarge, upstreamBadAnswer, upstreamNotReady } from "./errors.ts"

/** What Prometheus answered, its body unread. */
export interface UpstreamAnswer {
  readonly statusCode: number
  readonly headers: IncomingHttpHeaders
  readonly stream: Readable
}

const METRICS = /^(?:text\/plain|application\/vnd\.google\.protobuf|application\/openmetrics-text)\s*(?:;|$)/i
const PASSED_ON = ["content-type", "content-encoding", "content-length", "vary"] as const

/**
 * The headers to pass on from an answer of Prometheus. Throws an error of errors.ts for whatever is not a federation: no
 * status but 200, no redirect and no page of another program reaches the client.
 */
export function acceptAnswer(
  { statusCode, headers }: Omit<UpstreamAnswer, "stream">,
  { gzip, limit }: { readonly gzip: boolean; readonly limit: number },
): Readonly<Record<string, string>> {
  if (statusCode === 503) throw upstreamNotReady({})
  if (statusCode !== 200) throw upstreamBadAnswer({ problem: `its status is ${statusCode}` })
  if (!METRICS.test(headers["content-type"] ?? "")) {
    throw upstreamBadAnswer({ problem: "its content type is not one of metrics" })
  }
  const encoding = headers["content-encoding"] ?? "identity"
  if (encoding !== "identity" && !(gzip && encoding === "gzip")) {
    throw upstreamBadAnswer({ problem: "its encoding was not asked for" })
  }
  if (Number(headers["content-length"] ?? 0) > limit) throw answerTooLarge({ limit })
  return Object.fromEntries(
    PASSED_ON.flatMap((name) => {
      const value = headers[name]
      return value === undefined ? [] : [[name, value]]
    }),
  )
}

/** The chunks of a body of at most `limit` bytes, each told to `count`. Throws ANSWER_TOO_LARGE beyond. */
export async function* bounded(
  stream: Readable,
  limit: number,
  count: (bytes: number) => void,
): AsyncGenerator<Buffer> {
  let bytes = 0
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > limit) throw answerTooLarge({ limit })
    count(chunk.length)
    yield chunk
  }
}
