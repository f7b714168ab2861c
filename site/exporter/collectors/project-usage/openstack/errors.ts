import { FedstackError } from "#core/errors.ts"
import type { FailureClass } from "#core/http/connection-failure.ts"
import type { StatusReason } from "#core/http/status.ts"

/** Why a request to a service brought nothing. A label of metrics: a closed set. */
export type Reason = FailureClass | StatusReason | "microversion" | "not_json" | "no_endpoint"

/** A service that could not be reached, or refused a request. The message says what to do and holds no secret. */
export class ServiceError extends FedstackError {
  readonly reason: Reason
  /** undefined where there was no response. */
  readonly responseStatus: number | undefined

  constructor(reason: Reason, message: string, options: ErrorOptions & { readonly responseStatus?: number } = {}) {
    super(`OPENSTACK_${reason.toUpperCase()}`, 502, message, options)
    this.reason = reason
    this.responseStatus = options.responseStatus
  }
}
