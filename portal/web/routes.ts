import { randomBytes } from "node:crypto"
import type { FastifyInstance } from "fastify"
import type { Overview, StatusSource } from "../status/overview.ts"
import { addApi, CHECK_SECONDS, queryOf } from "./api.ts"
import { openAssets } from "./assets.ts"
import { parseFilter } from "./filter.ts"
import type { Frame } from "./layout.ts"
import { openLive } from "./live/hub.ts"
import { addLive } from "./live/routes.ts"
import { systemClock } from "./live/clock.ts"
import { liveSummary } from "./live-summary.ts"
import { page } from "./page.ts"
import { row } from "./row.ts"
import { addSecurityHeaders, isCrossSite } from "./security.ts"
import { type Prepared, prepare, send, sendStatic } from "./send.ts"
import type { SitesApi } from "./sites-api.ts"
import { checkNotice, notThatSite, sitePage } from "./site-page.ts"

export interface PortalPagesOptions {
  readonly version: string
  /** None for what users cannot reach. */
  readonly links?: Frame["links"]
  readonly notice?: () => string | undefined
  /** Aborted when the server begins to close: live updates end. */
  readonly closing: AbortSignal
  readonly now?: () => Date
  /** By whom and how sites are changed; without it they are not. */
  readonly sites?: SitesApi
}

/** The status page, the page of each site and the API. */
export async function addPortalPages(
  app: FastifyInstance,
  source: StatusSource,
  options: PortalPagesOptions,
): Promise<void> {
  const { version, links = {}, closing, now = () => new Date() } = options
  const { assets, files } = await openAssets()
  const clock = { ...systemClock, now: () => now().getTime() }
  const live = openLive({
    source,
    views: {
      row: (site) => row(site, now()).text,
      summary: (overview) => liveSummary(overview, now()),
    },
    clock,
    random: Math.random,
    epoch: randomBytes(6).toString("hex"),
  })
  closing.addEventListener("abort", live.close, { once: true })
  const frame = (): Frame => ({ assets, links, version, notice: options.notice?.(), shows: live.version() })
  addSecurityHeaders(app)

  let last: { readonly key: string; readonly overview: Overview; readonly prepared: Prepared } | undefined
  app.get("/", (request, reply) => {
    const [overview, at, shown] = [source.current(), now(), frame()]
    // many tabs that load at once, as after a restart, cost one page: it tells time in seconds
    const key = `${shown.shows} ${Math.floor(at.getTime() / 1000)} ${request.url}`
    if (last?.key !== key || last.overview !== overview) {
      const text = page(shown, overview, parseFilter(queryOf(request)), at).text
      last = { key, overview, prepared: prepare(HTML, text) }
    }
    return send(request, reply, last.prepared)
  })
  for (const file of files) app.get(file.path, (request, reply) => sendStatic(request, reply, file))
  await app.register((scope, _options, done) => {
    // what the form without a script sends: nothing
    scope.addContentTypeParser(
      "application/x-www-form-urlencoded",
      { bodyLimit: 1024, parseAs: "string" },
      (_request, _body, parsed) => parsed(null, undefined),
    )
    scope.get<{ Params: { name: string } }>("/sites/:name", (request, reply) => {
      const details = source.site(request.params.name)
      if (details === undefined) {
        return reply
          .code(404)
          .type(HTML)
          .send(notThatSite(frame(), source.current(), request.params.name).text)
      }
      const notice = checkNotice(queryOf(request).get("check"))
      return send(request, reply, prepare(HTML, sitePage(frame(), source.current(), details, now(), notice).text))
    })
    scope.post<{ Params: { name: string } }>("/sites/:name/check", async (request, reply) => {
      const { name } = request.params
      if (isCrossSite(request)) return reply.code(403).send("This form was sent by a page of another site.\n")
      const { kind } = await source.check(name, AbortSignal.timeout(CHECK_SECONDS * 1000))
      if (kind === "unknown_site")
        return reply
          .code(404)
          .type(HTML)
          .send(notThatSite(frame(), source.current(), name).text)
      return reply.redirect(
        `/sites/${encodeURIComponent(name)}${kind === "checked" ? "" : `?check=${kind}`}#checks`,
        303,
      )
    })
    done()
  })
  await app.register((scope, _options, done) => {
    addApi(scope, source, { assets, version, sites: options.sites, now })
    addLive(scope, live)
    done()
  })
}

const HTML = "text/html; charset=utf-8"
