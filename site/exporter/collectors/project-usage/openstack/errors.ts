import { FedstackError } from "#core/errors.ts"

/** Why a request to a service brought nothing. A label of metrics: a closed set. */
export type Reason =
  | "dns"
  | "refused"
  | "connection"
  | "tls"
  | "timeout"
  | "too_large"
  | "aborted"
  | "redirect"
  | "bad_request"
  | "unauthorized"
  | "forbidden"
  | "not_found"
  | "microversion"
  | "throttled"
  | "server_error"
  | "not_json"
  | "unexpected_answer"
  | "no_endpoint"

/** A cloud that could not be asked, or refused to answer. The message says what to do and holds no secret. */
export class ServiceError extends FedstackError {
  readonly reason: Reason
  /** The HTTP status, if there was an answer. */
  readonly answered: number | undefined

  constructor(reason: Reason, message: string, options: ErrorOptions & { readonly answered?: number } = {}) {
    super(`OPENSTACK_${reason.toUpperCase()}`, 502, message, options)
    this.reason = reason
    this.answered = options.answered
  }
}
