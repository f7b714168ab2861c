import type { Dispatcher } from "undici"
import { fetchText, type TextResponse } from "#core/http/client.ts"
import { unlessAborted } from "#core/retry/deadline.ts"
import type { Domain } from "../cloud.ts"
import type { Access } from "./access.ts"
import { type ServiceEndpoints, endpointsOf } from "./catalog.ts"
import { withVersion } from "./compute-endpoint.ts"
import { ServiceError } from "./errors.ts"
import { connectionFailure, parseJson } from "./failure.ts"
import { refusal, serviceMessage } from "./refusal.ts"
import type { RequestMetrics } from "./request-metrics.ts"
import { domainsOf, scopeOfToken, signInBody, tokenResponse, type TokenScope, whoIs } from "./token.ts"

/** Bytes of a catalog; that of a cloud with all services and ten regions has 100,000. */
const CATALOG_LIMIT = 16_777_216
/** Seconds before its end at which a token is replaced; a fifth of the lifetime of those that live shorter. */
const MARGIN = 120
/** Seconds until credentials that were refused are tried again: an identity service locks accounts that try too often. */
const PAUSE = 300

export interface Token {
  readonly id: string
  readonly endpoints: ServiceEndpoints
  readonly domains: readonly Domain[]
  readonly scope: TokenScope
  readonly dispatcher: Dispatcher
  /** When to replace it, by a clock that only goes forward: those of the cloud and of this machine need not agree. */
  readonly renewAt: number
}

export interface SessionOptions {
  /** Reads the credentials, anew for every sign-in: secrets are rotated. */
  readonly access: () => Promise<{ readonly access: Access; readonly dispatcher: Dispatcher }>
  /** Seconds for a request. */
  readonly timeout: number
  readonly metrics: RequestMetrics
  readonly signedIn: (endpoints: ServiceEndpoints) => void
  /** Of a clock that only goes forward. */
  readonly milliseconds: () => number
}

export type Session = ReturnType<typeof openSession>

/** A token that is got when it is first needed, and replaced before it ends. */
export function openSession(options: SessionOptions) {
  const { milliseconds } = options
  let current: Token | undefined
  let underWay: Promise<Token> | undefined
  let refused: { readonly attempt: string; readonly error: ServiceError; readonly until: number } | undefined
  const renew = async (): Promise<Token> => {
    current = undefined
    const { access, dispatcher } = await options.access()
    const body = signInBody(access)
    const attempt = `${access.authUrl} ${body}`
    if (refused?.attempt === attempt && milliseconds() < refused.until) throw refused.error
    try {
      current = await withComputeVersion(await signIn(access, dispatcher, body, options), options)
      return current
    } catch (error) {
      if (error instanceof ServiceError && error.reason === "unauthorized")
        refused = { attempt, error, until: milliseconds() + PAUSE * 1000 }
      throw error
    }
  }
  return {
    async token(signal: AbortSignal): Promise<Token> {
      if (current !== undefined && milliseconds() < current.renewAt) return current
      // one sign-in for all who wait; it has its own deadline, and goes on for the others when one is cancelled
      underWay ??= renew().finally(() => (underWay = undefined))
      return unlessAborted(underWay, signal).catch((error: unknown) => {
        throw signal.aborted ? new ServiceError("aborted", "sign-in cancelled: the update ends") : error
      })
    },
    /** A service refused this token: the next one will be another. */
    refused(token: Token): void {
      if (current === token) current = undefined
    },
  }
}

async function withComputeVersion(token: Token, { timeout, metrics }: SessionOptions): Promise<Token> {
  const { endpoints, dispatcher } = token
  const compute = await withVersion(endpoints.urls.compute, { dispatcher, timeout, metrics })
  return { ...token, endpoints: { ...endpoints, urls: { ...endpoints.urls, compute } } }
}

async function signIn(access: Access, dispatcher: Dispatcher, body: string, options: SessionOptions): Promise<Token> {
  const url = `${access.authUrl}/auth/tokens`
  const begin = options.milliseconds()
  return options.metrics.measure("identity", async () => {
    const response = await fetchText(new URL(url), {
      method: "POST",
      deadline: options.timeout,
      limit: CATALOG_LIMIT,
      headers: { accept: "application/json", "content-type": "application/json" },
      body,
      dispatcher,
    }).catch((error: unknown) => {
      throw connectionFailure(`sign-in at ${url}`, error)
    })
    if (response.status === 401 || isUnknown(response)) throw wrongCredentials(access, response)
    if (response.status !== 201) throw refusal({ service: "identity", path: "/auth/tokens", url }, response)
    const parsed = tokenResponse.safeParse(parseJson(url, response), { reportInput: false })
    const id = [response.headers["x-subject-token"] ?? ""].flat()[0] ?? ""
    if (!parsed.success || id === "") {
      const message = `${url} sent something that is no token. Is that an identity service, version 3?`
      throw new ServiceError("unexpected_response", message, { responseStatus: 201 })
    }
    const { issued_at: issued, expires_at: expires, catalog } = parsed.data.token
    const lifetime = (Date.parse(expires) - Date.parse(issued)) / 1000
    const endpoints = endpointsOf(catalog, access)
    options.signedIn(endpoints)
    const renewAt = begin + (lifetime - Math.min(MARGIN, lifetime / 5)) * 1000
    const { token } = parsed.data
    return { id, endpoints, domains: domainsOf(token), scope: scopeOfToken(token), dispatcher, renewAt }
  })
}

/** Keystone has no credential, user, project or domain of that id. An address that is wrong gives 404 in other words. */
const isUnknown = (response: TextResponse): boolean =>
  response.status === 404 && serviceMessage(response).startsWith(": Could not find ")

function wrongCredentials(access: Access, response: TextResponse): ServiceError {
  const { authUrl, identity, source, blanks } = access
  const what = {
    password:
      "Check user, domain and password, and that the user has a role on the project, domain or system it signs in to",
    token: "It has expired or was revoked: sign in with an application credential, which stays valid",
    application_credential: "Check its id (or name and user) and secret, and that it has not expired or been deleted",
  }[identity.method]
  const said = response.status === 401 ? "401" : `${response.status}${serviceMessage(response)}`
  const blank = blanks.length === 0 ? "" : `. A blank is at the beginning or end of ${blanks.join(", ")}`
  return new ServiceError(
    "unauthorized",
    `${authUrl} refuses the sign-in of ${whoIs(access)} (${said}), from ${source}. ${what}${blank}. It is tried again as soon as the credentials change, else every 5 minutes, so that the account is not locked`,
    { responseStatus: response.status },
  )
}
