import { fetchText, RequestFailed, type TextResponse } from "#core/http/client.ts"
import { explain } from "#core/errors.ts"
import { Deadline } from "#core/retry/deadline.ts"
import type { Limits } from "./schema.ts"
import { agentOf, type Contents, routeOf } from "./site-agent.ts"
import { authorizationFor } from "./site-authorization.ts"
import type { Site } from "./sites.ts"
import { withoutSecrets } from "#core/log/without-secrets.ts"

/** What came of requesting a site once as Prometheus would. */
export type Delivery =
  | { readonly kind: "delivers"; readonly exposition: string; readonly seconds: number }
  | { readonly kind: "fails"; readonly reason: string }

/** Requests the series of a site, with its credentials, TLS files and proxy. It never throws, and no reason holds a secret. */
export async function requestSite(
  site: Site,
  contents: Contents,
  limits: Limits,
  signal: AbortSignal,
): Promise<Delivery> {
  const started = performance.now()
  using deadline = new Deadline(site.timeout, signal)
  const secret = site.secretFile === undefined ? undefined : contents.get(site.secretFile)
  const secrets = [secret]
  const failed = (reason: string): Delivery => ({ kind: "fails", reason: withoutSecrets(reason, secrets) })
  try {
    const authorization = await authorizationFor(site, contents, deadline)
    if (authorization.kind === "no_token")
      return failed(`the token server ${authorization.server}: ${authorization.reason}`)
    const { header } = authorization
    secrets.push(header?.replace(/^\S+ /, ""))
    const dispatcher = agentOf(routeOf(site), contents)
    try {
      const address = federationOf(site, site.match)
      const headers = { ...ACCEPTED, ...(header === undefined ? {} : { authorization: header }) }
      const response = await fetchText(address, { deadline, limit: limits.response_bytes, dispatcher, headers })
      const reason = problemOf(response)
      if (reason !== undefined) return failed(reason)
      return { kind: "delivers", exposition: response.body, seconds: (performance.now() - started) / 1000 }
    } finally {
      await dispatcher.destroy()
    }
  } catch (error) {
    return failed(error instanceof RequestFailed ? explainFailure(error, site) : explain(error))
  }
}

/** What Prometheus requests of a site for these selectors. */
export function federationOf({ url }: Site, match: readonly string[]): URL {
  const query = match.map((selector) => `match[]=${encodeURIComponent(selector)}`).join("&")
  return new URL(`${url.href.replace(/\/$/, "")}/federate?${query}`)
}

export const ACCEPTED = { accept: "text/plain;version=0.0.4" }

/** In TLS 1.3 a server refuses a client certificate when the handshake is over. */
const explainFailure = ({ reason, problem }: RequestFailed, { tls }: Site): string =>
  tls?.cert_file !== undefined && ["hung_up", "reset", "tls_refused"].includes(reason)
    ? `${problem}; so it is where a site does not accept the client certificate`
    : problem

/** Why a response holds no series for Prometheus; undefined where it does. */
function problemOf({ status, headers, contentType, body }: TextResponse): string | undefined {
  if (status === 200) {
    return /^(?:text\/plain|application\/openmetrics-text)\b/.test(contentType)
      ? undefined
      : `it responds with ${contentType === "" ? "no content type" : contentType}, which is not what Prometheus exposes`
  }
  if (status >= 300 && status < 400)
    return `it redirects (${status}) to ${headers.location ?? "nowhere"}, which Prometheus is not to follow`
  const meaning = MEANINGS[status]
  return `${status}${meaning === undefined ? "" : `: ${meaning}`}${quoted(body.trim().split("\n")[0] ?? "")}`
}

const MEANINGS: Readonly<Record<number, string>> = {
  401: "the site does not accept the credentials",
  403: "the site does not share what is requested, or not with these credentials",
  404: "nothing is served there; url needs the prefix of the site's proxy, without /federate",
  407: "the forward proxy requires credentials",
}

const quoted = (text: string): string => (text === "" ? "" : ` ("${text.slice(0, 300)}")`)
