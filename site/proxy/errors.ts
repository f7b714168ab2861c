import { defineError, type FedstackError } from "#core/errors.ts"

// None of these carries a cause: its text would travel to the client. What happened upstream stands in the log.

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
