import { FedstackError } from "#core/errors.ts"

/**
 * What is to be done about it. Of the ruler, so for all groups: `unreachable` (no whole response, or 5xx), `busy` (it asks
 * to wait), `unauthorized`, `not_ruler` (no response that a ruler sends: another server, or another path), and `unreadable`
 * (the rules are there and could not be read). Of the group alone: `refused`, `over_limit` of the tenant, and `failed`, which
 * may succeed later. `aborted`: by the caller.
 */
export type RulerErrorKind =
  "unreachable" | "busy" | "unauthorized" | "not_ruler" | "unreadable" | "refused" | "over_limit" | "failed" | "aborted"

/** A ruler did not do what was requested, or it is not known whether it did. */
export class RulerError extends FedstackError {
  readonly kind: RulerErrorKind
  /** Seconds to wait, where the ruler asks for it. */
  readonly retryAfter: number | undefined

  constructor(kind: RulerErrorKind, message: string, retryAfter?: number) {
    super(`RULER_${kind.toUpperCase()}`, 502, message)
    this.kind = kind
    this.retryAfter = retryAfter
  }

  /** Other groups may be written although this one was not. */
  get isOfGroup(): boolean {
    return this.kind === "refused" || this.kind === "over_limit" || this.kind === "failed"
  }
}
