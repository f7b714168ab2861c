import { Readable } from "node:stream"
import { text } from "node:stream/consumers"
import { setFlagsFromString } from "node:v8"
import type { FastifyReply, FastifyRequest } from "fastify"
import type { Registry } from "prom-client"
import { closeAll } from "#core/closable.ts"
import type { Context } from "#core/component.ts"
import type { Address } from "#core/config/settings.ts"
import { defineError } from "#core/errors.ts"
import { acceptsGzip } from "#core/http/accept-encoding.ts"
import { addHealth, serve, type Served } from "#core/http/server.ts"
import { CONTENT_TYPE, encode } from "#core/metrics/exposition.ts"
import { createRegistry } from "#core/metrics/registry.ts"
import { EMPTY, gzip, plain } from "./body.ts"
import type { Open } from "./collector.ts"
import { missingIn, reasonsOf, type Runner, startRunner } from "./runner.ts"

export interface Listening {
  readonly addresses: readonly Address[]
  /** The flag that chose them. */
  readonly flag: string
  readonly webConfigFile: string | undefined
}

const notAllRead = defineError("NOT_ALL_READ", 500, "Not everything could be read. {missing}")

/** Serves what a collector reads until it is closed. */
export async function startExporter(name: string, open: Open, context: Context, listening: Listening): Promise<Served> {
  // a collection makes garbage that is soon gone: collect it rather than grow
  setFlagsFromString("--optimize-for-size")
  const { log, now } = context
  const registry = createRegistry()
  const collector = await open({ ...context, registry })
  const runner = startRunner(name, collector, { log, now })
  const closable = { close: async () => collector.close?.() }
  try {
    const serving = await serve({
      ...listening,
      registry,
      log,
      routes: (app) => {
        const metrics = exposeOn(runner, registry)
        app.get("/", metrics)
        app.get("/metrics", metrics)
        addHealth(app, () => runner.notReady() ?? collector.notReady?.())
      },
    })
    return {
      addresses: serving.addresses,
      // the runner first: scrapes that wait for it then get their response
      close: () => closeAll([runner, serving, closable]),
      async reload() {
        await serving.reload()
        await collector.reload?.()
        await runner.run()
      },
    }
  } catch (error) {
    await closeAll([runner, closable])
    throw error
  }
}

/** One collection as text. Throws NOT_ALL_READ after it is printed, where something is missing in it. */
export async function printOnce(name: string, open: Open, context: Context): Promise<undefined> {
  const collector = await open({ ...context, registry: createRegistry() })
  try {
    const collected = await collector.collect(context.signal)
    const { families = [] } = collected
    context.print("deflated" in families ? await text(plain(families, Buffer.alloc(0))) : encode(families))
    const missing = missingIn(name, collected)
    if (missing.size > 0) throw notAllRead({ missing: reasonsOf(missing) })
  } finally {
    await collector.close?.()
  }
}

/** What a runner has, followed by the process's own metrics. */
function exposeOn(runner: Runner, registry: Registry) {
  // query parameters are ignored: sites' Prometheus configurations in use send match[] here
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
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
}
