import { explain } from "#core/errors.ts"

/** Why an OPA could not be read: a closed set, for a label. */
export const REASONS = [
  "name", // its name does not resolve
  "connection", // refused, unreachable, or broken off
  "tls", // no handshake, or a certificate that is not valid for it
  "timeout",
  "unauthorized",
  "status", // another HTTP status than 200, redirects included
  "answer", // not what OPA answers
  "size",
] as const
export type Reason = (typeof REASONS)[number]

/** An OPA that could not be read. The message tells a person; it holds nothing that OPA sent. */
export class ReadFailure extends Error {
  override readonly name: string = "ReadFailure"
  readonly reason: Reason

  constructor(reason: Reason, message: string, options?: ErrorOptions) {
    super(message, options)
    this.reason = reason
  }
}

/** This way of reading is not open; another may be. */
export class WayClosed extends ReadFailure {}

/** What went wrong below HTTP. */
export function connectionFailure(error: unknown): ReadFailure {
  const code = codeOf(error)
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") {
    return new ReadFailure("name", `its name does not resolve: ${explain(error)}`, { cause: error })
  }
  if (code === "UND_ERR_CONNECT_TIMEOUT") return new ReadFailure("timeout", "no connection in time", { cause: error })
  if (/^(?:ERR_TLS_|ERR_SSL_|CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|INVALID_CA|HOSTNAME_MISMATCH|EPROTO)/.test(code)) {
    return new ReadFailure("tls", `no trusted TLS connection: ${tlsReason(error)}${tlsAdvice(code)}`)
  }
  if (code.startsWith("Z_")) return new ReadFailure("answer", "its answer is no whole gzip")
  return new ReadFailure("connection", `no whole answer: ${explain(error)}`, { cause: error })
}

/** OpenSSL's errors are lines of its source; their reason is "wrong version number" and the like. */
function tlsReason(error: unknown): string {
  const isOpenSsl = error instanceof Error && "library" in error && "reason" in error
  return isOpenSsl ? String(error.reason) : explain(error).replace(/; if the root CA .*|: *$/, "") // advice on flags of Node, or a list without entries
}

function tlsAdvice(code: string): string {
  if (code === "ERR_SSL_WRONG_VERSION_NUMBER") return ". If it speaks plain HTTP, ask it by http"
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") return ". Give the name in it as --opa-server-name"
  return /^(?:UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO)/.test(code)
    ? ". Name the certificates that vouch for it by --opa-ca-file"
    : ""
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return ""
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0])
  const own = "code" in error && typeof error.code === "string" ? error.code : ""
  return own === "" ? codeOf(error.cause) : own
}
