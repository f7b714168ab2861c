import type { FastifyInstance } from "fastify"
import type { JWK } from "jose"
import { prepare, type Prepared, send } from "./send.ts"

/** Open without a user even where users are configured: sites fetch it, and it holds nothing that is secret. */
export const JWKS_PATH = "/.well-known/jwks.json"

/** The public keys by which sites verify the tokens of the portal. */
export function addJwks(app: FastifyInstance, keys: () => readonly JWK[]): void {
  let before: { readonly text: string; readonly prepared: Prepared } | undefined
  app.get(JWKS_PATH, (request, reply) => {
    const published = keys()
    if (published.length === 0) return reply.code(404).send("No site is listed with jwt: there are no keys.\n")
    const text = `${JSON.stringify({ keys: published })}\n`
    if (before?.text !== text) before = { text, prepared: prepare("application/json", text) }
    return send(request, reply, before.prepared, "public, max-age=300")
  })
}
