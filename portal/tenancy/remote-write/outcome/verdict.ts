import type { Outcome } from "../forward/outcome.ts"
import type { Counts } from "../message/counts.ts"
import type { Slice } from "../split/slice.ts"

/** What an outcome means for the sender; docs/tenancy.md shows the whole table. */
export type Verdict =
  /** Done. */
  | "accepted"
  /** Nothing is wrong with the data: the sender is to resend. */
  | "retryable"
  /** Too much at once: the sender may resend. */
  | "limited"
  /** It will never be accepted. */
  | "refused"
  /** Nor will anything else in this version of the protocol. */
  | "unsupported"

/** A slice, what became of it, and what that means. */
export interface Part {
  readonly slice: Omit<Slice, "appendTo">
  readonly outcome: Outcome
  readonly verdict: Verdict
  /** Of this slice in an earlier request with the same body, from which the outcome is remembered. */
  readonly remembered: boolean
  /** Milliseconds: since when its tenant has been limited without a slice of this request accepted. */
  readonly limitedSince?: number
  /** Seconds of being limited after which it is refused. */
  readonly givenUpAfter?: number
}

/** What the upstream says of the proxy, its credentials, its URL or the connection (499: it was given up), not of the data. */
const OF_THE_PROXY: readonly number[] = [401, 402, 403, 404, 405, 407, 408, 410, 421, 425, 499]

export function verdictOf(
  { version, counts }: Pick<Slice, "version" | "counts">,
  { kind, status, written }: Outcome,
): Verdict {
  if (kind === "accepted") {
    // Prometheus too takes this for a batch that was lost; 202 is a replica's, which another one has written
    return version === 2 && status !== 202 && hasSamples(counts) && !hasSamples(written) ? "refused" : "accepted"
  }
  if (status === 429) return "limited"
  if (status === 415) return "unsupported"
  return status >= 400 && status < 500 && !OF_THE_PROXY.includes(status) ? "refused" : "retryable"
}

/** Exemplars decide nothing: a store that is set up to keep none counts none. */
const hasSamples = ({ samples, histograms }: Counts): boolean => samples + histograms > 0

/** Limits that never pass must not hold a sender up for ever: after `most` milliseconds they count as refused. */
export function judge(
  slice: Slice,
  outcome: Outcome,
  limitedSince: number | undefined,
  now: number,
  most: number,
): Part {
  const verdict = verdictOf(slice, outcome)
  const part = { slice, outcome, verdict, remembered: false }
  if (verdict !== "limited") return part
  const since = limitedSince ?? now
  if (now - since < most) return { ...part, limitedSince: since }
  return { ...part, verdict: "refused", givenUpAfter: Math.round((now - since) / 1000) }
}
