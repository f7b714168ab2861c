import type { IncomingHttpHeaders } from "node:http"
import { retryAfterOf } from "#core/http/retry-after.ts"
import { cleanText } from "#core/log/clean-text.ts"
import { RulerError, type RulerErrorKind } from "./errors.ts"
import { Unreadable } from "./read-group.ts"

export interface RulerResponse {
  readonly method: "GET" | "POST" | "DELETE"
  readonly path: string
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** Bytes of a ruler's own words that are repeated. */
const SHOWN = 512
/** What the rulers' own 404 hold; those of a proxy or of another path hold something else. */
const NOTHING_THERE = new Set(["no rule groups found", "group does not exist", "group namespace does not exist"])

/** Whether a ruler says that there are no such rules. */
export const isNothingThere = ({ status, body }: RulerResponse): boolean =>
  status === 404 && body.length < 100 && NOTHING_THERE.has(body.toString("latin1").trim())

/** What a response means that is none of those that were hoped for. `now`: milliseconds since 1970. */
export function errorOf(response: RulerResponse, now: number): RulerError {
  const { method, path, status, headers, body } = response
  const words = cleanText(body.toString("utf8", 0, 16 * SHOWN), SHOWN)
  const html = /^\s*</.test(words)
  const error = (kind: RulerErrorKind, problem: string): RulerError =>
    new RulerError(
      kind,
      `${method} ${path}: ${problem} (status ${status})${words === "" || html ? "" : `: ${words}`}`,
      retryAfterOf(headers["retry-after"], now),
    )
  if (status >= 300 && status < 400)
    return error("not_ruler", "the response redirects, which is not followed; set the URL to where the ruler is")
  if (status === 403 && method !== "GET" && /\bprotected\b/i.test(words))
    return error("refused", "the ruler protects this namespace")
  if (status === 401 || status === 403)
    return error("unauthorized", "the ruler, or what is before it, refuses the credentials or the tenant")
  if (status === 429 || (status === 503 && headers["retry-after"] !== undefined))
    return error("busy", "the ruler asks to wait")
  if (status === 500 && method !== "GET") return error("failed", "the ruler failed")
  if (status === 500 || (status === 400 && method === "GET"))
    return error("unreadable", "the ruler cannot read its rules")
  if (status > 500) return error("unreachable", "the ruler, or what is before it, cannot serve this now")
  if (method !== "GET" && REFUSED.has(status) && !html) {
    if (method === "DELETE") return error("failed", "the ruler does not delete the group")
    if (/\blimit\b.*\bexceeded\b/i.test(words)) {
      const why = /\brule groups limit\b/i.test(words) ? ", and counts a change of one as one more" : ""
      return error("over_limit", `the ruler refuses the group${why}`)
    }
    const without =
      "the ruler refuses the group without a reason, as Cortex does where it cannot parse an expression or the tenant is at a limit"
    return error("refused", words === "" ? without : "the ruler refuses the group")
  }
  return error(
    "not_ruler",
    "this is no response of a ruler; check the URL, the type and the prefix, and that the ruler's API is enabled",
  )
}

/** Of a group: its content, its size, the length of its name. */
const REFUSED: ReadonlySet<number> = new Set([400, 413, 414, 422, 431])

/** Throws RulerError where the body is not what a ruler sends. */
export async function understood<T>(
  { method, path }: Pick<RulerResponse, "method" | "path">,
  read: () => T | Promise<T>,
): Promise<T> {
  try {
    return await read()
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error
    throw new RulerError(
      "not_ruler",
      `${method} ${path}: the response ${error.message}, so nothing is known of the rules`,
    )
  }
}
