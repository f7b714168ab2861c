import { explain } from "#core/errors.ts"

/** Why a request got no whole response, in words to which a caller may add what to do. The ids are those of the portal's diagnosis. */
const TEXTS = {
  name_not_found: "the host name does not exist",
  resolver_failed: "the name servers give no usable response for the host name",
  no_route: "there is no route to the address",
  blocked_locally: "this machine forbids the connection",
  fds: "this process has too many open files",
  refused: "the connection was refused",
  no_answer: "no whole response in time",
  hung_up: "the connection was closed without a response",
  reset: "the connection was reset",
  cut: "the response broke off",
  tls_expired: "the certificate has expired",
  tls_not_yet: "the certificate is not valid yet",
  tls_unknown_ca: "the certificate is of an unknown authority",
  tls_wrong_name: "the certificate is for another name",
  tls_usage: "the certificate is not one of a server",
  tls_to_plain: "the server does not speak TLS",
  tls_version: "there is no TLS version in common",
  tls_client_cert: "a client certificate is required",
  tls_refused: "the TLS handshake failed",
  not_http: "the response is not HTTP",
  too_many_bytes: "the response is too large",
  broken_encoding: "the response is not encoded as its headers say",
  aborted: "the request was cancelled",
  unknown: "the connection failed",
} as const

export type ConnectionFailure = keyof typeof TEXTS

/** For a label of a metric: few values, the same for every component. */
export const FAILURE_CLASSES = [
  "dns",
  "refused",
  "connection",
  "tls",
  "timeout",
  "too_large",
  "unexpected_response",
  "aborted",
] as const
export type FailureClass = (typeof FAILURE_CLASSES)[number]

export function failureClass(reason: ConnectionFailure): FailureClass {
  if (reason.startsWith("tls_")) return "tls"
  if (reason === "name_not_found" || reason === "resolver_failed") return "dns"
  if (reason === "no_answer") return "timeout"
  if (reason === "too_many_bytes") return "too_large"
  if (reason === "not_http" || reason === "broken_encoding") return "unexpected_response"
  return reason === "refused" || reason === "aborted" ? reason : "connection"
}

export interface FailureDescription {
  readonly reason: ConnectionFailure
  /** What happened, without the address: `the connection was refused: connect ECONNREFUSED 127.0.0.1:1`. */
  readonly problem: string
}

/** Tells what an error of a connection means. `begun`: whether its response had begun. */
export function describeFailure(error: unknown, begun = false): FailureDescription {
  const source = sourceOf(error)
  const reason = reasonOf(source, begun)
  const detail = WITH_DETAIL.test(reason) ? detailOf(source) : ""
  return { reason, problem: detail === "" ? TEXTS[reason] : `${TEXTS[reason]}: ${detail}` }
}

/** Elsewhere the words of Node and OpenSSL add nothing, or mislead. */
const WITH_DETAIL =
  /^(?:name_|resolver_|no_route|blocked_|fds|refused|tls_(?:unknown|wrong|usage|refused)|not_http|broken_|unknown)/

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
