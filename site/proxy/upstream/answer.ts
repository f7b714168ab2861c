import type { IncomingHttpHeaders } from "node:http"
import { answerTooLarge, upstreamBadAnswer } from "../errors.ts"
import type { Question } from "./question.ts"

export type Format = "text" | "protobuf"

/** A good answer whose body is still to come. */
export interface Accepted {
  readonly format: Format
  readonly gzip: boolean
  /** To pass on: names and values in turn. */
  readonly headers: readonly string[]
  /** As announced. */
  readonly length: number | undefined
}

const TEXT = /^(?:text\/plain|application\/openmetrics-text)\s*(?:;|$)/i
/** Its readable forms are for people, and their series could not be counted. */
const PROTOBUF = /^application\/vnd\.google\.protobuf\s*;(?:.*;)?\s*encoding=delimited\s*(?:;|$)/i
const PASSED_ON = ["content-type", "content-encoding", "vary"] as const

/**
 * Judges an answer of Prometheus by its status and headers. Throws an error of errors.ts for whatever is not a federation:
 * no status but 200, no redirect and no page of another program reaches the client.
 */
export function acceptAnswer(statusCode: number, headers: IncomingHttpHeaders, { gzip, target }: Question): Accepted {
  if (statusCode !== 200) throw upstreamBadAnswer({ problem: `its status is ${statusCode}` })
  const type = headers["content-type"] ?? ""
  const format = TEXT.test(type) ? "text" : PROTOBUF.test(type) ? "protobuf" : undefined
  if (format === undefined) throw upstreamBadAnswer({ problem: "its content type is not one of metrics" })
  const encoding = headers["content-encoding"] ?? "identity"
  if (encoding !== "identity" && !(gzip && encoding === "gzip")) {
    throw upstreamBadAnswer({ problem: "its encoding was not asked for" })
  }
  const announced = headers["content-length"]
  const length = announced === undefined ? undefined : Number(announced)
  if (length !== undefined && length > target.bytes) throw answerTooLarge({ limit: target.bytes })
  return {
    format,
    gzip: encoding === "gzip",
    length,
    headers: PASSED_ON.flatMap((name) => {
      const value = headers[name]
      return value === undefined ? [] : [name, value]
    }),
  }
}
