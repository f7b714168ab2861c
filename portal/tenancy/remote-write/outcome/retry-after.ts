import { backoff } from "#core/retry/backoff.ts"
import type { Part } from "./verdict.ts"

/** Seconds. */
const LEAST = 1
const MOST_OWN = 60
/** Senders hold a batch for as long as an upstream says: one that says a year would stop them. */
const MOST = 3600

/**
 * Seconds after which the sender is to resend: the longest that an upstream named, or, where none did, longer with every
 * attempt and with jitter, so that many senders do not come back together.
 */
export function retryAfterOf(parts: readonly Part[], attempt: number, make = backoff): number {
  const named = parts.flatMap(({ outcome }) =>
    outcome.kind === "failed" && outcome.retryAfter !== undefined ? [outcome.retryAfter] : [],
  )
  const seconds = named.length > 0 ? Math.min(MOST, Math.max(...named)) : ownRetryAfter(attempt, make)
  return Math.max(LEAST, Math.ceil(seconds))
}

/** For refusals of the proxy's own. */
export const ownRetryAfter = (attempt: number, make = backoff): number =>
  Math.ceil(make(Math.min(attempt, 10) + 1, { least: LEAST, most: MOST_OWN }))
