import { defineError, FedstackError } from "#core/errors.ts"
import { LimitExceeded } from "#core/limits/client-limits.ts"

// None of these carries a cause: its text would travel to the client. What happened upstream stands in the log.

export const unauthenticated = defineError(
  "UNAUTHENTICATED",
  401,
  "A valid token is needed, as the header 'Authorization: Bearer TOKEN'.",
)
export const notFound = defineError("NOT_FOUND", 404, "Only /federate is served here.")
export const methodNotAllowed = defineError("METHOD_NOT_ALLOWED", 405, "Only GET and HEAD are served here.")
export const bodyNotAllowed = defineError("BODY_NOT_ALLOWED", 400, "A request for /federate has no body.")
export const expectationNotMet = defineError("EXPECTATION_NOT_MET", 417, "No expectation but 100-continue is met here.")
export const malformedPath = defineError("MALFORMED_PATH", 400, "The path is not that of a URL.")
export const malformedQuery = defineError("MALFORMED_QUERY", 400, "The query cannot be read: {problem}.")
export const tooManySelectors = defineError(
  "TOO_MANY_SELECTORS",
  400,
  "The request has {count} selectors; at most {most} are served at once, the site's limit selectors. Request them in several jobs, or have the site raise it.",
)
export const selectorTooLong = defineError(
  "SELECTOR_TOO_LONG",
  400,
  "A selector has {length} characters; at most {most} are served, the site's limit selector_characters. Split it, or have the site raise it.",
)
export const noSelector = defineError("NO_SELECTOR", 400, "Say which series: match[]=SELECTOR. Shared: {allowed}.")
export const selectorNotAllowed = defineError(
  "SELECTOR_NOT_ALLOWED",
  403,
  "The selector {selector} is not shared with {client}: {reason}. Shared: {allowed}. Request only what is shared, or have the site share more.",
)
export const queryTooLong = defineError(
  "QUERY_TOO_LONG",
  414,
  "The request to the site's Prometheus would have a query of {bytes} bytes, and it accepts {limit}: request fewer or shorter selectors.",
)
export const upstreamUnreachable = defineError("UPSTREAM_UNREACHABLE", 502, "The site's Prometheus cannot be reached.")
export const upstreamBadResponse = defineError(
  "UPSTREAM_BAD_RESPONSE",
  502,
  "The site's Prometheus sent a response that is not a federation: {problem}.",
)
export const upstreamNotReady = defineError("UPSTREAM_NOT_READY", 503, "The site's Prometheus is starting or stopping.")
export const upstreamTimeout = defineError(
  "UPSTREAM_TIMEOUT",
  504,
  "The site's Prometheus sent no whole response within {seconds} s.",
)
/** For what a client requests, where Prometheus works otherwise. */
export const queryRejected = defineError(
  "QUERY_REJECTED",
  400,
  "The site's Prometheus does not accept this request (its status is {status}): its version may not know an expression or a quoted label, or it is too much at once.",
)
export const queryTimeout = defineError(
  "QUERY_TIMEOUT",
  504,
  "The site's Prometheus sent no whole response within {seconds} s, while it responds to others: request less at once, or allow more time.",
)
export const responseBroken = defineError("RESPONSE_BROKEN", 502, "The site's Prometheus broke off its response.")

const OF_CLIENTS = [
  "QUERY_REJECTED",
  "QUERY_TIMEOUT",
  "RESPONSE_TOO_LARGE",
  "TOO_MANY_SERIES",
  "MEMORY_SHARE",
  "MEMORY_FULL",
]

/** Whether a failure is none of Prometheus: a client can cause it by what it requests. */
export function isOfClients({ code }: FedstackError): boolean {
  return OF_CLIENTS.includes(code)
}

/** For reasons of which some are mostly over within a second. */
const RETRIED_SOON = ["CANNOT_DECIDE", "MEMORY_FULL", "MEMORY_SHARE"]

/** What a response to this error has besides its status and message. */
export function headersOf(error: unknown): Readonly<Record<string, string>> {
  if (error instanceof LimitExceeded) return { "retry-after": String(Math.ceil(error.retryAfter)) }
  const { code } = error instanceof FedstackError ? error : {}
  if (code !== undefined && RETRIED_SOON.includes(code)) return { "retry-after": "1" }
  if (code === "UNAUTHENTICATED") return { "www-authenticate": "Bearer" }
  return code === "METHOD_NOT_ALLOWED" ? { allow: "GET, HEAD" } : {}
}
