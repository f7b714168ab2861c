import { type ConnectionFailure, type FailureClass, failureClass } from "#core/http/connection-failure.ts"
import type { RequestFailed } from "#core/http/client.ts"
import { type StatusReason, statusReason } from "#core/http/status.ts"

/** Why an OPA could not be read: a closed set, for a label. */
export type OpaFailureReason = FailureClass | StatusReason | "not_json"

/** An OPA that could not be read. The message is for people; it holds nothing that OPA sent. */
export class ReadFailure extends Error {
  override readonly name: string = "ReadFailure"
  readonly reason: OpaFailureReason

  constructor(reason: OpaFailureReason, message: string) {
    super(message)
    this.reason = reason
  }
}

/** This method of reading is not available; another may be. */
export class MethodUnavailable extends ReadFailure {}

const ADVICE: Readonly<Partial<Record<ConnectionFailure, string>>> = {
  tls_to_plain: ". If it speaks plain HTTP, set --opa-scheme to http",
  tls_wrong_name: ". Give the name in it as --opa-server-name",
  tls_unknown_ca: ". Give the certificate of its authority as --opa-ca-file",
  tls_client_cert: ". Give one as --opa-cert-file and --opa-key-file",
  hung_up: ". It may expect https (--opa-scheme), or a client certificate (--opa-cert-file, --opa-key-file)",
}

export const readFailure = ({ reason, problem }: RequestFailed): ReadFailure =>
  new ReadFailure(failureClass(reason), `${problem}${ADVICE[reason] ?? ""}`)

/** A refusal, or an address that does not exist or not with this HTTP method, makes a method unavailable; all else is a failure. */
export function statusFailure(status: number): ReadFailure {
  const Failure = [400, 401, 403, 404, 405].includes(status) ? MethodUnavailable : ReadFailure
  return new Failure(statusReason(status), `it responds with status ${status}${hintOn(status)}`)
}

function hintOn(status: number): string {
  if (status === 401 || status === 403) return ": a token is missing, wrong, or must not read this"
  if (status >= 300 && status < 400) return ", and redirects are not followed"
  if (status === 400) return ": it may expect https"
  return status === 404 ? ": this is no OPA, or its address was given with /v1" : ""
}
