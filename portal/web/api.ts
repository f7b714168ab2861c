import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify"
import { ConfigurationError, explain, type Fault, FedstackError } from "#core/errors.ts"
import type { Overview, StatusSource } from "../status/overview.ts"
import type { Assets } from "./assets.ts"
import {
  checkedJustNow,
  checksBusy,
  crossSite,
  methodNotAllowed,
  nothingToCheck,
  pathNotFound,
  siteNotFound,
  tooLarge,
  wouldBeFaulty,
  wrongFilter,
} from "./errors.ts"
import { type Filter, matcher, parseFilter, sorted, toQuery } from "./filter.ts"
import { detailsJson, listJson, reportJson, summaryJson } from "./json.ts"
import { openapi } from "./openapi.ts"
import { isCrossSite } from "./security.ts"
import { type Prepared, prepare, send } from "./send.ts"
import { addSitesApi, type SitesApi } from "./sites-api.ts"

/** A check that takes longer has a defect. */
export const CHECK_SECONDS = 20

interface ApiOptions {
  readonly assets: Assets
  readonly version: string
  /** Undefined where nothing can be changed. */
  readonly sites: SitesApi | undefined
  readonly now: () => Date
}

/** The API; its errors are JSON too. */
export function addApi(app: FastifyInstance, source: StatusSource, { assets, version, sites, now }: ApiOptions): void {
  const list = preparedPerOverview()
  const summary = preparedPerOverview()
  const contract = prepare(JSON_TYPE, `${JSON.stringify(openapi(version))}\n`)
  app.setErrorHandler((error, request, reply) => {
    if (error instanceof FedstackError) return sendError(reply, error)
    if (error instanceof ConfigurationError)
      return sendError(reply, wouldBeFaulty({ faults: error.message }), error.faults)
    const status = error instanceof Error && "statusCode" in error ? Number(error.statusCode) : 500
    if (!(status >= 400 && status < 500)) request.log.error({ reason: explain(error) }, "request failed")
    if (status === 413) return sendError(reply.header("connection", "close"), tooLarge({}))
    const [code, message] =
      status < 500 ? ["MALFORMED", "This request is malformed."] : ["INTERNAL", "Internal error; see the log."]
    return sendError(reply, new FedstackError(code, status, message))
  })

  app.get("/api/v1/sites", (request, reply) => {
    const overview = source.current()
    const filter = parseFilter(queryOf(request))
    if (filter.faults.length > 0) throw wrongFilter({ faults: filter.faults.join(" ") })
    return send(
      request,
      reply,
      list(overview, toQuery(filter), () => listOf(overview, filter)),
    )
  })
  app.get("/api/v1/summary", (request, reply) => {
    const overview = source.current()
    return send(
      request,
      reply,
      summary(overview, "", () => summaryJson(overview, assets)),
    )
  })
  app.get<{ Params: { name: string } }>("/api/v1/sites/:name", (request, reply) => {
    const details = source.site(request.params.name)
    if (details === undefined) throw siteNotFound({})
    return send(request, reply, prepare(JSON_TYPE, detailsJson(details)))
  })
  app.post<{ Params: { name: string } }>("/api/v1/sites/:name/check", async (request, reply) => {
    if (isCrossSite(request)) throw crossSite({})
    const result = await source.check(request.params.name, AbortSignal.timeout(CHECK_SECONDS * 1000))
    if (result.kind === "unknown_site") throw siteNotFound({})
    if (result.kind === "not_requested") throw nothingToCheck({})
    if (result.kind === "checked") return send(request, reply, prepare(JSON_TYPE, reportJson(result.report)))
    const seconds = Math.max(1, Math.ceil(result.retryAfter))
    reply.header("retry-after", seconds)
    throw result.kind === "busy" ? checksBusy({ seconds }) : checkedJustNow({ seconds })
  })
  if (sites !== undefined) addSitesApi(app, sites, now)
  app.get("/api/v1/openapi.json", (request, reply) => send(request, reply, contract))
  app.all("/api/v1/*", (request) => {
    const path = request.url.split("?", 1)[0] ?? ""
    const [, read, write = read] = METHODS.find(([pattern]) => pattern.test(path)) ?? []
    if (read === undefined || write === undefined) throw pathNotFound({})
    throw methodNotAllowed({ methods: sites === undefined ? read : write })
  })
}

/** What can be done where nothing can be changed, and where more can be. */
const METHODS: readonly (readonly [path: RegExp, read: string, write?: string])[] = [
  [/^\/api\/v1\/sites\/[^/]+\/check$/, "POST"],
  [/^\/api\/v1\/sites$/, "GET and HEAD", "GET, HEAD and POST"],
  [/^\/api\/v1\/sites\/[^/]+$/, "GET and HEAD", "GET, HEAD, PATCH and DELETE"],
  [/^\/api\/v1\/(?:summary|changes|openapi\.json)$/, "GET and HEAD"],
  [/^\/api\/v1\/events$/, "GET"],
]

const JSON_TYPE = "application/json; charset=utf-8"

export const queryOf = (request: FastifyRequest): URLSearchParams =>
  new URLSearchParams(request.url.split("?").slice(1).join("?"))

function listOf(overview: Overview, filter: Filter): string {
  return listJson(sorted(overview.sites.filter(matcher(filter)), filter.sort), overview.asOf)
}

/** How many lists of one overview are kept: what is requested again and again. */
const KEPT = 8

/** Written once for all who request the same between two changes. */
function preparedPerOverview(): (overview: Overview, key: string, make: () => string) => Prepared {
  const memory = new WeakMap<Overview, Map<string, Prepared>>()
  return (overview, key, make) => {
    const known = memory.get(overview) ?? new Map<string, Prepared>()
    memory.set(overview, known)
    const found = known.get(key)
    if (found !== undefined) return found
    const made = prepare(JSON_TYPE, make())
    if (known.size < KEPT) known.set(key, made)
    return made
  }
}

function sendError(reply: FastifyReply, error: FedstackError, faults?: readonly Fault[]): FastifyReply {
  const { code, status, message } = error
  const [, methods] = /^Only (.*) can be used here\.$/.exec(message) ?? []
  if (status === 405 && methods !== undefined) reply.header("allow", methods.replace(" and ", ", "))
  reply.header("cache-control", "no-store").code(status).type(JSON_TYPE)
  return reply.send(`${JSON.stringify({ error: { code, message, ...(faults && { faults }) } })}\n`)
}
