import { FedstackError } from "#core/errors.ts"
import type { FailureClass } from "#core/http/connection-failure.ts"
import type { StatusReason } from "#core/http/status.ts"

/** Why a request to a service brought nothing. A label of metrics: a closed set. */
export type ServiceFailure = FailureClass | StatusReason | "microversion" | "not_json" | "no_endpoint"

/** A service that could not be reached, or refused a request. The message has what to do, and no secret. */
export class ServiceError extends FedstackError {
  readonly reason: ServiceFailure
  /** undefined where there was no response. */
  readonly responseStatus: number | undefined

  constructor(
    reason: ServiceFailure,
    message: string,
    options: ErrorOptions & { readonly responseStatus?: number } = {},
  ) {
    super(`OPENSTACK_${reason.toUpperCase()}`, 502, message, options)
    this.reason = reason
    this.responseStatus = options.responseStatus
  }
}
