import { explain } from "#core/errors.ts"

/**
 * Why a request got no whole response. `class` is for a label of a metric: few values, the same for every component. `text` is
 * for people, and a caller may add what to do. Without `detail` the words of Node and OpenSSL add nothing, or mislead.
 */
const FAILURES = {
  name_not_found: { class: "dns", text: "the host name does not exist", detail: true },
  resolver_failed: { class: "dns", text: "the name servers give no usable response for the host name", detail: true },
  no_route: { class: "connection", text: "there is no route to the address", detail: true },
  blocked_locally: { class: "connection", text: "this machine forbids the connection", detail: true },
  fds: { class: "connection", text: "this process has too many open files", detail: true },
  refused: { class: "refused", text: "the connection was refused", detail: true },
  no_answer: { class: "timeout", text: "no whole response in time" },
  hung_up: { class: "connection", text: "the connection was closed without a response" },
  reset: { class: "connection", text: "the connection was reset" },
  cut: { class: "connection", text: "the response broke off" },
  tls_expired: { class: "tls", text: "the certificate has expired" },
  tls_not_yet: { class: "tls", text: "the certificate is not valid yet" },
  tls_unknown_ca: { class: "tls", text: "the certificate is of an unknown authority", detail: true },
  tls_wrong_name: { class: "tls", text: "the certificate is for another name", detail: true },
  tls_usage: { class: "tls", text: "the certificate is not one of a server", detail: true },
  tls_to_plain: { class: "tls", text: "the server does not speak TLS" },
  tls_version: { class: "tls", text: "there is no TLS version in common" },
  tls_client_cert: { class: "tls", text: "a client certificate is required" },
  tls_refused: { class: "tls", text: "the TLS handshake failed", detail: true },
  not_http: { class: "unexpected_response", text: "the response is not HTTP", detail: true },
  too_many_bytes: { class: "too_large", text: "the response is too large" },
  broken_encoding: {
    class: "unexpected_response",
    text: "the response is not encoded as its headers say",
    detail: true,
  },
  aborted: { class: "aborted", text: "the request was cancelled" },
  unknown: { class: "connection", text: "the connection failed", detail: true },
} as const

export type ConnectionFailure = keyof typeof FAILURES
export type FailureClass = (typeof FAILURES)[ConnectionFailure]["class"]

export const failureClass = (reason: ConnectionFailure): FailureClass => FAILURES[reason].class

/** What an error of a connection means, without its address. `begun`: whether its response had begun. */
export function describeFailure(error: unknown, begun = false): { reason: ConnectionFailure; problem: string } {
  const source = sourceOf(error)
  const reason = reasonOf(source, begun)
  const failure = FAILURES[reason]
  const detail = "detail" in failure ? detailOf(source) : ""
  return { reason, problem: detail === "" ? failure.text : `${failure.text}: ${detail}` }
}

const BY_CODE: Readonly<Record<string, ConnectionFailure>> = {
  ENOTFOUND: "name_not_found",
  EAI_AGAIN: "resolver_failed",
  EAI_FAIL: "resolver_failed",
  ENETUNREACH: "no_route",
  EHOSTUNREACH: "no_route",
  EADDRNOTAVAIL: "no_route",
  EACCES: "blocked_locally",
  EPERM: "blocked_locally",
  EMFILE: "fds",
  ENFILE: "fds",
  ECONNREFUSED: "refused",
  ETIMEDOUT: "no_answer",
  UND_ERR_CONNECT_TIMEOUT: "no_answer",
  UND_ERR_HEADERS_TIMEOUT: "no_answer",
  UND_ERR_BODY_TIMEOUT: "no_answer",
  EPIPE: "reset",
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: "cut",
  Z_BUF_ERROR: "cut",
  UND_ERR_HEADERS_OVERFLOW: "too_many_bytes",
  CERT_HAS_EXPIRED: "tls_expired",
  CERT_NOT_YET_VALID: "tls_not_yet",
  ERR_TLS_CERT_ALTNAME_INVALID: "tls_wrong_name",
  HOSTNAME_MISMATCH: "tls_wrong_name",
  INVALID_PURPOSE: "tls_usage",
  ERR_SSL_WRONG_VERSION_NUMBER: "tls_to_plain",
  ERR_SSL_PACKET_LENGTH_TOO_LONG: "tls_to_plain",
  ERR_SSL_UNSUPPORTED_PROTOCOL: "tls_version",
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: "tls_version",
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: "tls_client_cert",
}

function reasonOf(error: unknown, begun: boolean): ConnectionFailure {
  const code = codeOf(error)
  const known = BY_CODE[code]
  if (known !== undefined) return known
  if (code === "UND_ERR_SOCKET") return begun ? "cut" : "hung_up"
  // a connection that ends within the handshake is given the code of one that was reset
  if (code === "ECONNRESET") return error instanceof Error && "syscall" in error ? "reset" : "hung_up"
  // of undici: without a code where what comes is no HTTP from its first byte on
  if (error instanceof Error && error.name === "HTTPParserError") return begun ? "cut" : "not_http"
  if (code.startsWith("Z_")) return "broken_encoding"
  if (/^(?:CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|INVALID_CA|ERROR_IN_CERT|PATH_LENGTH)/.test(code))
    return "tls_unknown_ca"
  if (/^(?:ERR_SSL_|ERR_TLS_|EPROTO)/.test(code)) return "tls_refused"
  if (error instanceof Error && error.name === "TimeoutError") return "no_answer"
  return error instanceof Error && error.name === "AbortError" ? "aborted" : "unknown"
}

/** The innermost error with a code. A refused connection to a name with several addresses has one for each. */
function sourceOf(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  if (error instanceof AggregateError && error.errors.length > 0 && error.message === "") return error
  return codeOf(error) === "" && error.cause !== undefined ? sourceOf(error.cause) : error
}

function codeOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0])
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : ""
}

/** OpenSSL's errors are lines of its source; their reason is "tlsv1 alert internal error" and the like. */
function detailOf(error: unknown): string {
  if (error instanceof Error && "library" in error && "reason" in error) return String(error.reason)
  return explain(error).replace(/; if the root CA .*|: *$/, "") // advice on flags of Node, or a list without entries
}
