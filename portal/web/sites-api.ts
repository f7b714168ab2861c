import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify"
import { FaultsError, FedstackError } from "#core/errors.ts"
import { cleanText } from "#core/log/clean-text.ts"
import type { Logger } from "#core/log/logger.ts"
import type { Access } from "../access/access.ts"
import { changesOnly, identityOf } from "../access/hook.ts"
import type { Applied } from "../sites-file/apply.ts"
import type { Change } from "../sites-file/edit.ts"
import { changeToAdd, changeToPause, changeToResume, changeToSet } from "../sites-file/request.ts"
import { notJson } from "./errors.ts"

export interface SitesApi {
  readonly access: Access
  readonly change: (change: Change, ifMatch: string | undefined) => Promise<Applied>
  readonly log: Logger
}

/** An entry of sites.yaml is some hundred bytes. */
const BODY_BYTES = 65_536
/** Of a name in the log, which may be any. */
const NAME_BYTES = 100

type Action = "added" | "changed" | "paused" | "resumed" | "removed"

/** Changes of sites.yaml, for who may. A body is JSON, which no form of another site's page can send. */
export function addSitesApi(app: FastifyInstance, { access, change, log }: SitesApi, now: () => Date): void {
  type Named = FastifyRequest<{ Params: { name: string } }>
  const options = (action: Action) => ({
    bodyLimit: BODY_BYTES,
    onRequest: [
      changesOnly(access),
      (request: FastifyRequest, _reply: FastifyReply, done: () => void) => {
        if (!isJson(request)) throw notJson({})
        done()
      },
    ],
    // whatever it is refused for: by whom it was tried is to be seen
    onError(request: FastifyRequest, _reply: FastifyReply, error: Error, done: () => void): void {
      if (!isRefusedSender(error)) log.warn({ ...aboutOf(request, action), ...whatOf(error) }, "site not changed")
      done()
    },
  })

  async function respond(request: FastifyRequest, reply: FastifyReply, action: Action, wanted: Change) {
    const { etag, written, outcome, reason } = await change(wanted, request.headers["if-match"])
    log.info({ ...aboutOf(request, action), ...whyOf(wanted), written, outcome }, "site changed")
    const status = outcome !== "confirmed" ? 202 : action === "added" ? 201 : 200
    const body = { site: wanted.name, action: written ? action : "unchanged", outcome, reason: reason || null }
    return reply
      .code(status)
      .header("etag", etag)
      .header("cache-control", "no-store")
      .type("application/json; charset=utf-8")
      .send(`${JSON.stringify(body)}\n`)
  }

  const parse = app.getDefaultJsonParser("error", "error")
  app.removeContentTypeParser("application/json")
  app.addContentTypeParser<string>("application/json", { parseAs: "string" }, (request, body, done) =>
    // clients name the type where they send nothing, too
    body === "" ? done(null, undefined) : parse(request, body, done),
  )

  const nameIn = ({ params }: Named): string => params.name
  app.post("/api/v1/sites", options("added"), (request, reply) =>
    respond(request, reply, "added", changeToAdd(request.body)),
  )
  app.patch("/api/v1/sites/:name", options("changed"), (request: Named, reply) =>
    respond(request, reply, "changed", changeToSet(nameIn(request), request.body)),
  )
  app.delete("/api/v1/sites/:name", options("removed"), (request: Named, reply) =>
    respond(request, reply, "removed", { kind: "remove", name: nameIn(request) }),
  )
  app.post("/api/v1/sites/:name/pause", options("paused"), (request: Named, reply) => {
    const who = identityOf(request)?.name ?? ""
    return respond(request, reply, "paused", changeToPause(nameIn(request), request.body ?? {}, who, now()))
  })
  app.post("/api/v1/sites/:name/resume", options("resumed"), (request: Named, reply) =>
    respond(request, reply, "resumed", changeToResume(nameIn(request))),
  )
}

function aboutOf(request: FastifyRequest, action: Action) {
  const { name: user = "", by } = identityOf(request) ?? {}
  const named = [request.params, request.body].flatMap((from) =>
    typeof from === "object" && from !== null && "name" in from && typeof from.name === "string" ? [from.name] : [],
  )
  return { user, by, from: request.socket.remoteAddress, action, site: named[0] && cleanText(named[0], NAME_BYTES) }
}

/** Who may not change anything is logged, or throttled, where that is decided. */
const isRefusedSender = (error: Error): boolean =>
  error instanceof FedstackError && (error.status === 401 || error.status === 403)

/** Where the faults are; their messages may repeat what was sent. */
const whatOf = (error: Error) => ({
  code: "code" in error ? error.code : undefined,
  faults: error instanceof FaultsError ? error.faults.map(({ where }) => where).join(", ") : undefined,
})

const isJson = ({ method, headers }: FastifyRequest): boolean =>
  /^application\/json\s*(?:;|$)/i.test(headers["content-type"] ?? "") ||
  (method === "DELETE" && headers["content-type"] === undefined)

function whyOf(change: Change): { readonly why?: string } {
  const paused = change.kind === "set" ? change.keys.paused : undefined
  return typeof paused === "object" && paused !== null && "why" in paused ? { why: String(paused.why) } : {}
}
