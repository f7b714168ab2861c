import type { OutgoingHttpHeaders } from "node:http"
import type { FastifyInstance, FastifyReply } from "fastify"
import { SECURITY_HEADERS } from "../security.ts"
import type { Live } from "./hub.ts"

interface Query {
  readonly since?: string
}

/** `GET /api/v1/events`, and the same as one response for pages that poll: `GET /api/v1/changes`. */
export function addLive(app: FastifyInstance, live: Live): void {
  // without HEAD: it would open a stream
  app.get<{ Querystring: Query }>("/api/v1/events", { exposeHeadRoute: false }, (request, reply) => {
    if (live.isFull()) return reply.code(204).header("cache-control", "no-store").send()
    return stream(reply, live, textOf(request.headers["last-event-id"]) ?? textOf(request.query.since))
  })

  app.get<{ Querystring: Query }>("/api/v1/changes", (request, reply) => {
    const tag = `"${live.version()}"`
    reply.header("cache-control", "no-cache").header("etag", tag)
    if (request.headers["if-none-match"] === tag) return reply.code(304).send()
    return reply.send(live.since(textOf(request.query.since)))
  })
}

function stream(reply: FastifyReply, live: Live, version: string | undefined): FastifyReply {
  const { raw } = reply.hijack()
  raw.writeHead(200, {
    ...(reply.getHeaders() as OutgoingHttpHeaders),
    ...SECURITY_HEADERS,
    "content-type": "text/event-stream",
    "cache-control": "no-store, no-transform",
    // for nginx, which else collects before it passes on
    "x-accel-buffering": "no",
  })
  const leave = live.join(
    {
      write: (event) => void raw.write(event),
      queued: () => raw.writableLength,
      end: () => void raw.end(),
      destroy: () => void raw.destroy(),
    },
    version,
  )
  raw.once("close", leave)
  return reply
}

/** A parameter that is there twice is a list. */
function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined
}
