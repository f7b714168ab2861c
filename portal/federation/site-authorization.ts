import type { LookupFunction } from "node:net"
import { fetchText, RequestFailed, type TextResponse } from "#core/http/client.ts"
import type { Deadline } from "#core/retry/deadline.ts"
import { agentOf, type Contents } from "./site-agent.ts"
import { OF_OAUTH2 } from "./site-tls.ts"
import type { Site } from "./sites.ts"

/** The header by which a site knows the portal, or why the server of its oauth2 gives no token for one. */
export type Authorization =
  | { readonly kind: "header"; readonly header: string | undefined }
  | { readonly kind: "no_token"; readonly server: string; readonly reason: string; readonly hangs: boolean }

const TOKEN_LIMIT = 65_536

/** As Prometheus identifies itself to the site. Bounded by the deadline; `lookup` resolves the host of the token server. */
export function authorizationFor(
  site: Site,
  contents: Contents,
  deadline: Deadline,
  lookup?: LookupFunction,
): Promise<Authorization> | Authorization {
  const { oauth2, secretFile = "" } = site
  const secret = contents.get(secretFile) ?? ""
  if (oauth2 !== undefined) return requestToken(site.name, oauth2, { secret, contents, deadline, lookup })
  return { kind: "header", header: headerOf(site, secret) }
}

function headerOf({ token, basic_auth, authorization, jwt }: Site, secret: string): string | undefined {
  if (token !== undefined || jwt !== undefined) return `Bearer ${secret}`
  if (basic_auth !== undefined) return basic(basic_auth.username, secret)
  return authorization && `${authorization.type} ${secret}`
}

const basic = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`

interface TokenRequest {
  readonly secret: string
  readonly contents: Contents
  readonly deadline: Deadline
  readonly lookup: LookupFunction | undefined
}

async function requestToken(
  site: string,
  { client_id, token_url, scopes, endpoint_params = {}, tls_config, proxy_url }: NonNullable<Site["oauth2"]>,
  { secret, contents, deadline, lookup }: TokenRequest,
): Promise<Authorization> {
  const body = new URLSearchParams({
    grant_type: "client_credentials",
    ...(scopes === undefined ? {} : { scope: scopes.join(" ") }),
    ...endpoint_params,
  }).toString()
  const route = { name: site, tls: tls_config, proxy: proxy_url, prefix: OF_OAUTH2.prefix }
  const dispatcher = agentOf(route, contents, { lookup })
  const none = (reason: string, hangs = false): Authorization => ({
    kind: "no_token",
    server: token_url.origin,
    reason,
    hangs,
  })
  try {
    const headers = {
      authorization: basic(encodeForm(client_id), encodeForm(secret)),
      "content-type": "application/x-www-form-urlencoded",
    }
    const options = { method: "POST", deadline, limit: TOKEN_LIMIT, dispatcher, headers, body } as const
    const response = await fetchText(token_url, options)
    const issued = jsonOf(response)
    if (response.status !== 200) return none(`it responds with ${response.status}${quoted(issued.error)}`)
    const token = issued.access_token
    if (token === undefined) return none("it responds without an access_token")
    return { kind: "header", header: `Bearer ${token}` }
  } catch (error) {
    if (error instanceof RequestFailed) return none(error.problem, error.reason === "no_answer")
    throw error
  } finally {
    await dispatcher.destroy()
  }
}

const quoted = (text = ""): string => (text === "" ? "" : ` ("${text.slice(0, 300)}")`)

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
