import { defineError, FedstackError } from "#core/errors.ts"
import { LimitExceeded } from "#core/limits/errors.ts"

// None of these carries a cause: its text would travel to the client. What happened upstream stands in the log.

export const unauthenticated = defineError(
  "UNAUTHENTICATED",
  401,
  "A valid token is needed, as the header 'Authorization: Bearer TOKEN'.",
)
export const notFound = defineError("NOT_FOUND", 404, "Only /federate is answered here.")
export const methodNotAllowed = defineError("METHOD_NOT_ALLOWED", 405, "Only GET and HEAD are answered here.")
export const bodyNotAllowed = defineError("BODY_NOT_ALLOWED", 400, "A request for /federate has no body.")
export const malformedQuery = defineError("MALFORMED_QUERY", 400, "The query can't be read: {problem}.")
export const noSelector = defineError("NO_SELECTOR", 400, "Say which series: match[]=SELECTOR. Shared: {allowed}.")
export const selectorNotAllowed = defineError(
  "SELECTOR_NOT_ALLOWED",
  403,
  "The selector {selector} is not shared with {client}: {reason}. Shared: {allowed}.",
)
export const upstreamUnreachable = defineError("UPSTREAM_UNREACHABLE", 502, "The site's Prometheus can't be reached.")
export const upstreamBadAnswer = defineError(
  "UPSTREAM_BAD_ANSWER",
  502,
  "The site's Prometheus gave an answer that is not a federation: {problem}.",
)
export const upstreamNotReady = defineError("UPSTREAM_NOT_READY", 503, "The site's Prometheus is starting or stopping.")
export const upstreamTimeout = defineError(
  "UPSTREAM_TIMEOUT",
  504,
  "The site's Prometheus gave no answer within {seconds} s.",
)
/** The next three are told with a status before the answer began; later they break the connection. */
export const answerTooLarge = defineError("ANSWER_TOO_LARGE", 502, "The answer is larger than {limit} bytes.")
export const tooManySeries = defineError("TOO_MANY_SERIES", 502, "The answer has more than {limit} series.")
export const answerBroken = defineError("ANSWER_BROKEN", 502, "The site's Prometheus broke off its answer.")
export const memoryFull = defineError(
  "MEMORY_FULL",
  503,
  "The answers under way fill the proxy's memory; ask again later, or raise its limit.",
)

/** What a response to this error has besides its status and message. */
export function headersOf(error: unknown): Readonly<Record<string, string>> {
  if (error instanceof LimitExceeded) return { "retry-after": String(Math.ceil(error.retryAfter)) }
  const { code } = error instanceof FedstackError ? error : {}
  if (code === "UNAUTHENTICATED") return { "www-authenticate": "Bearer" }
  return code === "METHOD_NOT_ALLOWED" ? { allow: "GET, HEAD" } : {}
}
