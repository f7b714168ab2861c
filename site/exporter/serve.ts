import { Readable } from "node:stream"
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify"
import type { Registry } from "prom-client"
import { CONTENT_TYPE, encode } from "#core/exposition.ts"
import { addHealth, serve, type ServeOptions, type Serving } from "#core/server.ts"
import { Body, gzip } from "./body.ts"
import type { Runner } from "./runner.ts"

const EMPTY = new Body([])

/** Serves what a runner has, followed by the process's own metrics, on `/` and `/metrics`, with health beside them. */
export function serveRunner(
  runner: Runner,
  registry: Registry,
  options: Omit<ServeOptions, "routes">,
): Promise<Serving> {
  // query parameters are ignored: sites' Prometheus configurations in use send match[] here
  const metrics = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const { body = EMPTY, status } = await runner.read()
    const tail = encode(status) + (await registry.metrics())
    reply.type(CONTENT_TYPE).header("vary", "accept-encoding")
    if (!acceptsGzip(request.headers["accept-encoding"])) return send(reply, [...body.plain, Buffer.from(tail)])
    return send(reply.header("content-encoding", "gzip"), await gzip(body, tail))
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

function send(reply: FastifyReply, pieces: readonly Buffer[]): FastifyReply {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0)
  return reply.header("content-length", length).send(Readable.from(pieces, { objectMode: false }))
}

/** `gzip` is listed and not refused with `q=0` (RFC 9110, 12.5.3). */
export function acceptsGzip(header: string | string[] | undefined): boolean {
  return [header ?? ""]
    .flat()
    .join(",")
    .split(",")
    .some((coding) => /^\s*(?:x-)?gzip\s*(?:;\s*q=(?!0(?:\.0*)?\s*$)[\d.]+\s*)?$/i.test(coding))
}
