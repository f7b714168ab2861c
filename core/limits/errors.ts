import { FedstackError } from "#core/errors.ts"

/** A client has used up a limit, and is to retry later. */
export class LimitExceeded extends FedstackError {
  /** Seconds. */
  readonly retryAfter: number

  constructor(code: string, message: string, retryAfter: number) {
    super(code, 429, message)
    this.retryAfter = retryAfter
  }
}
