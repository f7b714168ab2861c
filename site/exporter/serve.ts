import { Readable } from "node:stream"
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify"
import type { Registry } from "prom-client"
import { CONTENT_TYPE, encode } from "#core/metrics/exposition.ts"
import { addHealth, serve, type ServeOptions, type Serving } from "#core/http/server.ts"
import { EMPTY, gzip, plain } from "./body.ts"
import type { Runner } from "./runner.ts"

/** Serves what a runner has, followed by the process's own metrics, on `/` and `/metrics`, with health beside them. */
export function serveRunner(
  runner: Runner,
  registry: Registry,
  options: Omit<ServeOptions, "routes">,
): Promise<Serving> {
  // query parameters are ignored: sites' Prometheus configurations in use send match[] here
  const metrics = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const { body = EMPTY, status } = await runner.read()
    const tail = Buffer.from(encode(status) + (await registry.metrics()))
    reply.type(CONTENT_TYPE).header("vary", "accept-encoding")
    if (!acceptsGzip(request.headers["accept-encoding"]))
      return reply.header("content-length", body.length + tail.length).send(plain(body, tail))
    const pieces = gzip(body, tail)
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0)
    reply.header("content-encoding", "gzip").header("content-length", length)
    return reply.send(Readable.from(pieces, { objectMode: false }))
  }
  return serve({
    ...options,
    registry,
    routes: (app: FastifyInstance) => {
      app.get("/", metrics)
      app.get("/metrics", metrics)
      addHealth(app, () => runner.notReady())
    },
  })
}

/** `gzip` is listed and not refused with `q=0` (RFC 9110, 12.5.3). */
export function acceptsGzip(header: string | string[] | undefined): boolean {
  return [header ?? ""]
    .flat()
    .join(",")
    .split(",")
    .some((coding) => /^\s*(?:x-)?gzip\s*(?:;\s*q=(?!0(?:\.0*)?\s*$)[\d.]+\s*)?$/i.test(coding))
}
