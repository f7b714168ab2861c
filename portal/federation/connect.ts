import { createSecureContext } from "node:tls"
import type { Dispatcher } from "undici"
import { openAgent, openProxyAgent } from "#core/http/agent.ts"
import { fetchText, RequestFailed, type TextResponse } from "#core/http/client.ts"
import { trusting } from "#core/http/tls-files.ts"
import { explain } from "#core/errors.ts"
import { Deadline } from "#core/retry/deadline.ts"
import type { Tls } from "#core/http/credential-schema.ts"
import type { Limits } from "./schema.ts"
import { OF_OAUTH2, tlsContents } from "./site-tls.ts"
import type { Site } from "./sites.ts"

/** What came of requesting a site once as Prometheus would. */
export type Delivery =
  | { readonly kind: "delivers"; readonly exposition: string; readonly seconds: number }
  | { readonly kind: "fails"; readonly reason: string }

/** Files as they are written for Prometheus: their contents by their paths. */
export type Contents = ReadonlyMap<string, string>

const TOKEN_LIMIT = 65_536

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
  const failed = (reason: string): Delivery => ({ kind: "fails", reason: readable(reason, secrets) })
  try {
    const sent = site.oauth2 === undefined ? authorizationOf(site, secret) : await tokenOf(site, contents, deadline)
    if (typeof sent === "object") return failed(sent.reason)
    secrets.push(sent?.replace(/^\S+ /, ""))
    const { url, match, name, tls, proxy_url } = site
    const query = match.map((selector) => `match[]=${encodeURIComponent(selector)}`).join("&")
    const address = new URL(`${url.href.replace(/\/$/, "")}/federate?${query}`)
    const dispatcher = agentOf({ name, tls, proxy: proxy_url, prefix: "" }, contents)
    try {
      const headers = { accept: "text/plain;version=0.0.4", ...(sent === undefined ? {} : { authorization: sent }) }
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

/** In TLS 1.3 a server refuses a client certificate when the handshake is over. */
const explainFailure = ({ reason, problem }: RequestFailed, { tls }: Site): string =>
  tls?.cert_file !== undefined && ["hung_up", "reset", "tls_refused"].includes(reason)
    ? `${problem}; so it is where a site does not accept the client certificate`
    : problem

function authorizationOf({ token, basic_auth, authorization }: Site, secret = ""): string | undefined {
  if (token !== undefined) return `Bearer ${secret}`
  if (basic_auth !== undefined) return basic(basic_auth.username, secret)
  return authorization && `${authorization.type} ${secret}`
}

const basic = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`

/** The Authorization header with a token of the site's OAuth2 server, requested as Prometheus does; or why there is none. */
async function tokenOf(
  { name, oauth2, secretFile = "" }: Site,
  contents: Contents,
  deadline: Deadline,
): Promise<string | { readonly reason: string }> {
  if (oauth2 === undefined) return ""
  const { client_id, token_url, scopes, endpoint_params = {}, tls_config, proxy_url } = oauth2
  const body = new URLSearchParams({
    grant_type: "client_credentials",
    ...(scopes === undefined ? {} : { scope: scopes.join(" ") }),
    ...endpoint_params,
  }).toString()
  const dispatcher = agentOf({ name, tls: tls_config, proxy: proxy_url, prefix: OF_OAUTH2.prefix }, contents)
  const server = `the token server ${token_url.origin}`
  try {
    const [user, password] = [client_id, contents.get(secretFile) ?? ""].map(encodeForm)
    const headers = {
      authorization: basic(user ?? "", password ?? ""),
      "content-type": "application/x-www-form-urlencoded",
    }
    const options = { method: "POST", deadline, limit: TOKEN_LIMIT, dispatcher, headers, body } as const
    const response = await fetchText(token_url, options)
    const issued = jsonOf(response)
    if (response.status !== 200)
      return { reason: `${server} responds with ${response.status}${quoted(issued.error ?? "")}` }
    const token = issued.access_token
    return token === undefined ? { reason: `${server} responds without an access_token` } : `Bearer ${token}`
  } catch (error) {
    if (error instanceof RequestFailed) return { reason: `${server}: ${error.problem}` }
    throw error
  } finally {
    await dispatcher.destroy()
  }
}

/** RFC 6749, section 2.3.1. */
const encodeForm = (text: string): string => new URLSearchParams({ x: text }).toString().slice(2)

function jsonOf({ body }: TextResponse): { readonly access_token?: string; readonly error?: string } {
  try {
    const { access_token, error } = JSON.parse(body) as Record<string, unknown>
    return {
      ...(typeof access_token === "string" && access_token !== "" ? { access_token } : {}),
      ...(typeof error === "string" ? { error } : {}),
    }
  } catch {
    return {} // it is reported as a response without a token
  }
}

interface Route {
  readonly name: string
  readonly tls: Tls | undefined
  readonly proxy: URL | undefined
  readonly prefix: string
}

const VERSIONS = { TLS12: "TLSv1.2", TLS13: "TLSv1.3" } as const

function agentOf({ name, tls = {}, proxy, prefix }: Route, contents: Contents): Dispatcher {
  const { min_version: version, server_name: serverName } = tls
  const { ca, cert, key } = tlsContents(name, tls, prefix, contents)
  const secureContext = createSecureContext({
    ...trusting(ca),
    cert,
    key,
    ...(version === undefined ? {} : { minVersion: VERSIONS[version] }),
  })
  const options = { secureContext, serverName }
  return proxy === undefined ? openAgent(options) : openProxyAgent(proxy, options)
}

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

/** Shorter ones stand in any text by chance, and would be found out by what is left of it. */
const SHORTEST_SECRET = 6

/** What a server sent may repeat what it was sent, or steer the terminal. */
const readable = (reason: string, secrets: readonly (string | undefined)[]): string =>
  secrets
    .reduce<string>(
      (shown, secret = "") => (secret.length < SHORTEST_SECRET ? shown : shown.replaceAll(secret, "…")),
      reason,
    )
    .replaceAll(/[\p{Cc}\p{Cf}]+/gu, " ")
