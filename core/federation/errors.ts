import { defineError, FedstackError } from "#core/errors.ts"
import { LimitExceeded } from "#core/limits/client-limits.ts"

// None of these carries a cause: its text would travel to the client. What happened upstream stands in the log.

export const unauthenticated = defineError(
  "UNAUTHENTICATED",
  401,
  "A valid token is needed, as the header 'Authorization: Bearer TOKEN'.",
)
export const notFound = defineError("NOT_FOUND", 404, "Only {served} served here.")
export const methodNotAllowed = defineError("METHOD_NOT_ALLOWED", 405, "Only GET and HEAD are served here.")
export const bodyNotAllowed = defineError("BODY_NOT_ALLOWED", 400, "A request for {path} has no body.")
export const expectationNotMet = defineError("EXPECTATION_NOT_MET", 417, "No expectation but 100-continue is met here.")
export const malformedPath = defineError("MALFORMED_PATH", 400, "The path is not that of a URL.")
export const malformedQuery = defineError("MALFORMED_QUERY", 400, "The query cannot be read: {problem}.")
export const tooManySelectors = defineError(
  "TOO_MANY_SELECTORS",
  400,
  "The request has {count} selectors; at most {most} are served at once, the limit selectors. Request them in several jobs, or have it raised.",
)
export const selectorTooLong = defineError(
  "SELECTOR_TOO_LONG",
  400,
  "A selector has {length} characters; at most {most} are served, the limit selector_characters. Split it, or have it raised.",
)
export const noSelector = defineError("NO_SELECTOR", 400, "Say which series: match[]=SELECTOR. Shared: {allowed}.")
export const selectorNotAllowed = defineError(
  "SELECTOR_NOT_ALLOWED",
  403,
  "The selector {selector} is not shared with {client}: {reason}. Shared: {allowed}. Request only what is shared, or have more shared.",
)

/** For reasons of which some are mostly over within a second. */
const RETRIED_SOON = ["CANNOT_DECIDE", "CANNOT_WRITE", "MEMORY_FULL", "MEMORY_SHARE"]

/** What a response to this error has besides its status and message. */
export function headersOf(error: unknown): Readonly<Record<string, string>> {
  if (error instanceof LimitExceeded) return { "retry-after": String(Math.ceil(error.retryAfter)) }
  const { code } = error instanceof FedstackError ? error : {}
  if (code !== undefined && RETRIED_SOON.includes(code)) return { "retry-after": "1" }
  if (code === "UNAUTHENTICATED") return { "www-authenticate": "Bearer" }
  return code === "METHOD_NOT_ALLOWED" ? { allow: "GET, HEAD" } : {}
}
