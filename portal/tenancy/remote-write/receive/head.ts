import type { IncomingMessage } from "node:http"
import { bodyTooLarge, expectationNotMet, severalHeaders } from "../errors.ts"
import { requireSnappy, versionOf } from "../message/media-type.ts"
import type { Version } from "../message/version.ts"

/** What the headers of a write say. */
export interface Head {
  readonly version: Version
  /** Of the body; undefined where it comes in chunks. */
  readonly length: number | undefined
  /** The sender's Retry-Attempt. */
  readonly attempt: number | undefined
  /** Whether the sender waits to be asked for the body. */
  readonly expectsContinue: boolean
}

/** Bytes of a body, and the setting by which they are bounded. */
export interface BodyLimit {
  readonly most: number
  readonly setting: string
}

/** Of which Node takes one of several, or joins them. */
const SINGLE = ["content-type", "content-encoding"] as const

/** Judged before the body is read. Throws an error for the sender. */
export function readHead({ rawHeaders, headers }: IncomingMessage, limit: BodyLimit): Head {
  for (const header of SINGLE) if (countOf(rawHeaders, header) > 1) throw severalHeaders({ header })
  const version = versionOf(headers["content-type"])
  requireSnappy(headers["content-encoding"])
  const { expect } = headers
  const expectsContinue = expect !== undefined && /^\s*100-continue\s*$/i.test(expect)
  if (expect !== undefined && !expectsContinue) throw expectationNotMet({})
  const length = lengthOf(headers)
  if (length !== undefined && length > limit.most) throw bodyTooLarge(limit)
  return { version, length, attempt: attemptOf(headers["retry-attempt"]), expectsContinue }
}

/** Node has refused what is no number, and a length beside chunks. */
function lengthOf(headers: IncomingMessage["headers"]): number | undefined {
  if (headers["transfer-encoding"] !== undefined) return undefined
  return Number(headers["content-length"] ?? 0)
}

function attemptOf(header: string | readonly string[] | undefined): number | undefined {
  return typeof header === "string" && /^\d{1,9}$/.test(header) ? Number(header) : undefined
}

function countOf(rawHeaders: readonly string[], name: string): number {
  let count = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const key = rawHeaders[index] ?? ""
    if (key.length === name.length && key.toLowerCase() === name) count++
  }
  return count
}
