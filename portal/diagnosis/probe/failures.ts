import type { ConnectionFailure } from "#core/http/connection-failure.ts"
import { type CauseId, isCauseId } from "../causes/index.ts"

/** The cause of a connection that failed; most have the same id. */
export function causeOfFailure(failure: ConnectionFailure | undefined): CauseId {
  if (failure === "too_many_bytes") return "not_http" // of headers: bodies are read to a bound
  return failure !== undefined && isCauseId(failure) ? failure : "other"
}

/** The cause of an alert by which a server ended a handshake, such as `tlsv1 alert unknown ca`. */
export function causeOfAlert(problem: string): { readonly cause: CauseId; readonly alert?: string } {
  const [, alert] = /\balert ([a-z ]+)$/.exec(problem) ?? []
  if (alert === undefined) return { cause: "tls_refused" }
  const ofCertificate = /certificate|unknown ca|access denied/.test(alert)
  return { cause: ofCertificate ? "tls_client_cert_refused" : "tls_refused", alert }
}
