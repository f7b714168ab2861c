import { RequestFailed, type TextResponse } from "#core/http/client.ts"
import { type ConnectionFailure, failureClass } from "#core/http/connection-failure.ts"
import { ServiceError } from "./errors.ts"

const ADVICE: Readonly<Partial<Record<ConnectionFailure, string>>> = {
  name_not_found: "Check the name and the name servers",
  resolver_failed: "Check the name and the name servers",
  no_route: "Check the address, and the firewall",
  refused: "Is the service running there?",
  no_answer: "If it is only slow, raise --os-timeout",
  hung_up: "Does it speak https there, or want a client certificate (OS_CERT, OS_KEY)?",
  tls_expired: "Have it renewed; if it is not, check the clock of this machine",
  tls_not_yet: "Check the clocks",
  tls_unknown_ca: "Give the authority's file: OS_CACERT",
  tls_wrong_name: "Use the name that stands in it",
  tls_to_plain: "Does it speak http there?",
  tls_client_cert: "Give one: OS_CERT, OS_KEY",
  tls_refused: "Does it want a client certificate (OS_CERT, OS_KEY)?",
  too_many_bytes: "Is that the address of an OpenStack service?",
  aborted: "The update ends",
}

/** Of a request that got no whole response: what happened, and what a person should do about it. */
export function connectionFailure(target: string, error: unknown): unknown {
  if (!(error instanceof RequestFailed)) return error
  const { reason, problem } = error
  const advice = ADVICE[reason]
  return new ServiceError(failureClass(reason), `${target}: ${problem}${advice === undefined ? "" : `. ${advice}`}`)
}

/** The JSON of a response. Throws ServiceError where it holds none. */
export function parseJson(target: string, { body, contentType }: TextResponse): unknown {
  try {
    return JSON.parse(body) as unknown
  } catch {
    const isJson = /\bjson\b/i.test(contentType)
    const what = isJson
      ? "JSON that is broken or breaks off"
      : `${contentType || "something without a content type"}, not JSON`
    const hint = isJson ? "" : ". Is that the address of an OpenStack service, or of a web page before it?"
    // the parser's own message quotes the response, which may hold a token
    throw new ServiceError("not_json", `${target} sent ${what}${hint}`)
  }
}
