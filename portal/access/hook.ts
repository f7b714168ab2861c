import type { FastifyInstance, FastifyReply, FastifyRequest, onRequestAsyncHookHandler } from "fastify"
import { FedstackError } from "#core/errors.ts"
import type { Access, Identity } from "./access.ts"

/** What needs no user of a header: health, and what Prometheus and the sites read, which are nobody's browser. */
const OPEN = new Set([
  ...["/-/healthy", "/healthz", "/livez", "/-/ready", "/readyz"],
  ...["/metrics", "/.well-known/jwks.json"],
])

/** Serves the routes of a server, also those that do not exist, to who may see them. */
export function addAccess(app: FastifyInstance, access: Access): void {
  app.addHook("onRequest", async (request, reply) => {
    try {
      identities.set(request, await access.identify(request.raw))
    } catch (error) {
      // never so for a wrong token: it was let past the users of the web configuration to be refused here
      const isOpen = OPEN.has(request.routeOptions.url ?? "")
      if (!isOpen || !(error instanceof FedstackError) || error.code !== "NOT_SIGNED_IN")
        refuse(access, request, reply, error)
    }
  })
}

/** For routes that change something: who may not is refused before anything of the body is read. */
export const changesOnly =
  (access: Access): onRequestAsyncHookHandler =>
  async (request, reply) => {
    try {
      identities.set(request, await access.authorizeChange(request.raw))
    } catch (error) {
      logRefused(request, error)
      refuse(access, request, reply, error)
    }
  }

/** Of users who are known; a flood of others is throttled, and fills no disk. */
function logRefused(request: FastifyRequest, error: unknown): void {
  if (!(error instanceof FedstackError) || error.status !== 403) return
  const { method, url, socket } = request
  const about = { user: identityOf(request)?.name, from: socket.remoteAddress, method, path: url.split("?", 1)[0] }
  request.log.warn({ ...about, code: error.code }, "change refused")
}

/** Unauthenticated ones, too many of them without a look at them. */
function refuse(access: Access, request: FastifyRequest, reply: FastifyReply, error: unknown): void {
  reply.header("connection", "close") // rather than read what may be a gigabyte to its end
  if (!(error instanceof FedstackError) || error.status !== 401 || !access.failed(request.raw)) throw error
  reply.hijack()
  access.refuse(reply.raw)
}

const identities = new WeakMap<FastifyRequest, Identity>()

/** Who sent a request to a route behind `addAccess`. */
export const identityOf = (request: FastifyRequest): Identity | undefined => identities.get(request)
