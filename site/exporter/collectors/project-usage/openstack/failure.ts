import { RequestFailed } from "#core/http/client.ts"
import { type Reason, ServiceError } from "./errors.ts"

/** Codes of Node and OpenSSL for a certificate that is not trusted. */
const UNKNOWN_AUTHORITY =
  /^(?:UNABLE_TO_GET_ISSUER_CERT(?:_LOCALLY)?|SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_VERIFY_LEAF_SIGNATURE|CERT_UNTRUSTED)$/

/** What a person should do about a request that got no answer. */
export function connectionFailure(asked: string, error: unknown, signal?: AbortSignal): ServiceError {
  const because = (reason: Reason, text: string): ServiceError =>
    new ServiceError(reason, `${asked}: ${text}`, { cause: error })
  if (signal?.aborted) return because("aborted", "given up, because the update ends")
  if (error instanceof RequestFailed && error.failure === "deadline")
    return because("timeout", "no whole answer in time. If it is only slow, raise --os-timeout")
  if (error instanceof RequestFailed && error.failure === "size")
    return because("too_large", "the answer is too large. Is that the address of an OpenStack service?")
  const code = codeOf(error)
  if (UNKNOWN_AUTHORITY.test(code))
    return because(
      "tls",
      "its certificate is of an authority that is not known here. Give the authority's file: OS_CACERT",
    )
  if (code === "CERT_HAS_EXPIRED")
    return because("tls", "its certificate has expired. Have it renewed; if it is not, check the clock of this machine")
  if (code === "CERT_NOT_YET_VALID") return because("tls", "its certificate is not valid yet. Check the clocks")
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID")
    return because("tls", "its certificate is for another host name. Use the name that stands in it")
  if (/^(?:ERR_SSL_|ERR_TLS_|CERT_)|EPROTO/.test(code))
    return because(
      "tls",
      "no TLS connection. Does it speak https there, and want a client certificate (OS_CERT, OS_KEY)?",
    )
  if (code === "ENOTFOUND" || code === "EAI_AGAIN")
    return because("dns", "there is no address for the host name. Check the name and the name servers")
  if (code === "ECONNREFUSED") return because("refused", "the connection is refused. Is the service running there?")
  if (code === "UND_ERR_CONNECT_TIMEOUT" || code === "ETIMEDOUT")
    return because("timeout", "no connection in time. Is the way there open?")
  return because("connection", "the connection failed")
}

/** The innermost code: a refused connection to a name with several addresses has it inside. */
function codeOf(error: unknown): string {
  for (let inner = error; inner instanceof Error; inner = inner.cause) {
    const [first] = inner instanceof AggregateError ? (inner.errors as unknown[]) : []
    const code = "code" in inner ? inner.code : (first as NodeJS.ErrnoException | undefined)?.code
    if (typeof code === "string" && code !== "REQUEST_FAILED") return code
  }
  return ""
}

/** The JSON of an answer, or why there is none. */
export function parseJson(asked: string, answer: { readonly contentType: string; readonly body: string }): unknown {
  try {
    return JSON.parse(answer.body) as unknown
  } catch {
    const isJson = /\bjson\b/i.test(answer.contentType)
    const what = isJson
      ? "JSON that is broken or breaks off"
      : `${answer.contentType || "something without a type"}, not JSON`
    const hint = isJson ? "" : ". Is that the address of an OpenStack service, or of a web page before it?"
    // the parser's own message quotes the answer, which may hold a token
    throw new ServiceError("not_json", `${asked} answered ${what}${hint}`)
  }
}
