import { fetchText } from "#core/http/client.ts"
import type { Api, Get, Service } from "./api.ts"
import { ServiceError } from "./errors.ts"
import { connectionFailure, parseJson } from "./failure.ts"
import { refusal } from "./refusal.ts"
import { microversionIgnored } from "./microversion.ts"
import type { RequestMetrics } from "./request-metrics.ts"
import type { Session, Token } from "./session.ts"

/** Bytes of a response: a page of 1,000 servers has 0.4 to 2 MB, 10,000 projects have 5 MB. */
const RESPONSE_LIMIT = 134_217_728

interface ClientOptions extends Pick<Api, "cloud" | "region"> {
  /** Of what the credentials say, or of a domain by its id. */
  readonly sessionOf: (domain: string | undefined) => Session
  readonly metrics: RequestMetrics
  /** Seconds for a request. */
  readonly timeout: number
}

export function openApi({ cloud, region, sessionOf, metrics, timeout }: ClientOptions): Api {
  const dates: Partial<Record<Service, number>> = {}
  const send = async (token: Token, service: Service, path: string, options: Get): Promise<unknown> => {
    const { date, body } = await metrics.measure(service, () => get(token, service, path, options, timeout))
    if (!Number.isNaN(date)) dates[service] = date / 1000
    return body
  }
  return {
    cloud,
    region,
    dateOf: (service) => dates[service],
    ownDomains: async (signal) => (await sessionOf(undefined).token(signal)).domains,
    async get(service, path, options) {
      const session = sessionOf(options.domain)
      const token = await session.token(options.signal)
      try {
        return await send(token, service, path, options)
      } catch (error) {
        if (!(error instanceof ServiceError)) throw error
        // a connection that was kept open may be closed by the service just when it is used
        if (error.reason === "connection") return send(token, service, path, options)
        if (error.responseStatus !== 401) throw error
        // revoked, or the cloud's clock jumped: one new token, and no more
        session.refused(token)
        return send(await session.token(options.signal), service, path, options)
      }
    },
  }
}

async function get(
  { id, endpoints, scope, dispatcher }: Token,
  service: Service,
  path: string,
  { query = {}, microversion, signal }: Get,
  timeout: number,
): Promise<{ readonly date: number; readonly body: unknown }> {
  const url = `${endpoints.urls[service]}${path}`
  const search = new URLSearchParams(query).toString()
  const headers = {
    accept: "application/json",
    "x-auth-token": id,
    ...(microversion === undefined ? {} : { "openstack-api-version": `compute ${microversion}` }),
  }
  const [target, whole] = [`${service} at ${url}`, new URL(search === "" ? url : `${url}?${search}`)]
  const request = { deadline: timeout, limit: RESPONSE_LIMIT, headers, signal, dispatcher }
  const response = await fetchText(whole, request).catch((error: unknown) => {
    throw connectionFailure(target, error)
  })
  if (response.status !== 200) throw refusal({ service, path, url, microversion, scope }, response)
  const ignored = microversion === undefined ? undefined : microversionIgnored({ url, microversion }, response)
  if (ignored !== undefined) throw ignored
  return { date: Date.parse(response.headers.date ?? ""), body: parseJson(target, response) }
}
