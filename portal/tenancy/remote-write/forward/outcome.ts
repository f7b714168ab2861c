import type { Counts } from "../message/counts.ts"
import type { Slice } from "../split/slice.ts"

/** What became of a slice. */
export type Outcome =
  | { readonly kind: "accepted"; readonly status: number; readonly written: Counts }
  | {
      readonly kind: "failed"
      /** Of the upstream; 0 where there was no response. */
      readonly status: number
      /** Seconds, where the upstream named them. */
      readonly retryAfter?: number
      /** What the upstream says that it stored nevertheless; zeros where it does not say. */
      readonly written: Counts
      /** For the sender, one line, bounded, safe to print: the upstream's own words, or why there was no response. */
      readonly reason: string
    }

export interface ForwardOptions {
  /** The sender's `Retry-Attempt`, passed on. */
  readonly retryAttempt: number | undefined
  readonly signal: AbortSignal
}

/** Never throws: what goes wrong is the outcome. */
export type Forward = (slice: Slice, options: ForwardOptions) => Promise<Outcome>
