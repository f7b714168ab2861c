import { defineError, type FedstackError } from "#core/errors.ts"

// None of these carries a cause: its text would travel to the client. What happened upstream stands in the log.

export const storeUnreachable = defineError("UPSTREAM_UNREACHABLE", 502, "The store of the metrics cannot be reached.")
export const storeNotReady = defineError("UPSTREAM_NOT_READY", 503, "The store of the metrics is starting or stopping.")
export const storeBadResponse = defineError(
  "UPSTREAM_BAD_RESPONSE",
  502,
  "The store of the metrics sent a response that cannot be used: {problem}.",
)
export const storeTimeout = defineError(
  "UPSTREAM_TIMEOUT",
  504,
  "The store of the metrics sent no whole response within {seconds} s.",
)
export const responseBroken = defineError("RESPONSE_BROKEN", 502, "The store of the metrics broke off its response.")
export const familyTooLarge = defineError(
  "FAMILY_TOO_LARGE",
  502,
  "The series of {family} alone are more than the {limit} bytes that are read at once: request fewer of them by other labels.",
)
/** For what a client requests, where the store works otherwise. */
export const queryTimeout = defineError(
  "QUERY_TIMEOUT",
  504,
  "The store of the metrics sent no whole response within {seconds} s, while it responds to others: request less at once, or allow more time.",
)
export const storeRefused = defineError(
  "QUERY_REJECTED",
  422,
  "The store of the metrics refuses this request of tenant {tenant} (status {status}): {problem}. Request less at once, or have the tenant's limits raised.",
)
export const storeLimited = defineError(
  "UPSTREAM_LIMITED",
  429,
  "The store of the metrics limits tenant {tenant} (status {status}): {problem}. Request less often, or have the tenant's limits raised.",
)

/** For no fault of the client's or the store's. */
export const cannotWrite = defineError("CANNOT_WRITE", 503, "The response cannot be written now; retry later.")

const OF_STORE = [
  "UPSTREAM_UNREACHABLE",
  "UPSTREAM_NOT_READY",
  "UPSTREAM_BAD_RESPONSE",
  "UPSTREAM_TIMEOUT",
  "RESPONSE_BROKEN",
]

/** Whether the store fails, rather than that a client requests too much. */
export const isOfStore = ({ code }: FedstackError): boolean => OF_STORE.includes(code)

/** Whether the store works and does not do what is requested of it. */
export const isOfTenantLimits = ({ code }: FedstackError): boolean =>
  code === "QUERY_REJECTED" || code === "UPSTREAM_LIMITED"
