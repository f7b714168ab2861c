import type { IncomingHttpHeaders } from "node:http"
import type { Readable } from "node:stream"
import type { FastifyReply, FastifyRequest } from "fastify"
import { explain } from "#core/errors.ts"
import { describeFailure, failureClass } from "#core/http/connection-failure.ts"
import { logChanges } from "#core/log/changes.ts"
import type { Logger } from "#core/log/logger.ts"
import { INERT, pagePolicy } from "./content-policy.ts"
import type { Decision } from "./decision.ts"
import type { Passed } from "./passed.ts"
import { locationInside } from "./location.ts"
import { responseHeaders } from "./response-headers.ts"

/** What an upstream responded, as @fastify/reply-from has it. */
interface Response {
  readonly statusCode: number
  readonly headers: IncomingHttpHeaders
  readonly stream: Readable
}

/** Bytes that a page may have, which is read as a whole. */
const PAGE_LIMIT = 1_048_576

/** Turns responses of an upstream into those of the portal. Its failures are logged when they begin and end. */
export function openResponses({ name, prefix, url, also, pages }: Passed, log: Logger) {
  const logged = logChanges<string, [string?]>((state, reason) => {
    if (state === undefined) log.info({ upstream: name }, "passing through works again")
    else log.warn({ upstream: name, reason }, "not passed through")
  })

  return async function respond(
    request: FastifyRequest,
    reply: FastifyReply,
    given: unknown,
    {
      decision,
      passing,
    }: { decision: Decision; passing: { readonly signal: AbortSignal; readonly failure?: unknown } },
  ): Promise<void> {
    const { statusCode, headers, stream } = given as Response
    const fail = (status: number, message: string): void => {
      stream.on("error", ignore).destroy()
      const json = decision.path.startsWith("/api/")
      const type = json ? "application/json" : "text/plain; charset=utf-8"
      const text = json ? JSON.stringify({ status: "error", errorType: "unavailable", error: message }) : message
      reply.code(status).type(type).send(`${text}\n`)
    }
    const unavailable = (status: number, state: string, message: string, reason: string): void => {
      logged(state, reason)
      fail(status, message)
    }
    if ("failure" in passing) {
      if (reply.raw.destroyed) return
      const { reason, problem } = describeFailure(passing.failure)
      return failureClass(reason) === "timeout"
        ? unavailable(504, reason, `${name} sends no response in time.`, problem)
        : unavailable(502, reason, `${name} cannot be reached: the portal's log has the reason.`, problem)
    }
    if (statusCode === 401 || statusCode === 403)
      return unavailable(
        502,
        "refused",
        `${name} refuses the portal's request.`,
        `it responds with status ${statusCode}`,
      )
    if (statusCode >= 500 && !isJson(headers))
      return unavailable(
        statusCode === 503 ? 503 : 502,
        "failing",
        `${name} does not work at present.`,
        `it responds with status ${statusCode}`,
      )
    logged(undefined)
    const { location } = headers
    if (location !== undefined) {
      const inside = locationInside(location, new URL(`${prefix}${decision.path}`, url), prefix, [url, ...also])
      if (inside === undefined)
        return fail(502, `${name} leads to another place, which the portal does not pass through.`)
      stream.on("error", ignore).destroy()
      reply.code(statusCode).header("location", inside).send()
      return
    }
    if (statusCode >= 400 && !isJson(headers) && !isHtml(headers))
      return fail(statusCode, `${name} refuses this request.`)
    const page = decision.kind === "page" && isHtml(headers)
    reply.code(statusCode).headers(responseHeaders(headers))
    if (!page) {
      reply.header("content-security-policy", INERT)
      if (request.method !== "HEAD") return void reply.send(stream)
      stream.on("error", ignore).destroy()
      return void reply.send()
    }
    try {
      const html = await readPage(stream)
      if (html === undefined) return fail(502, `A page of ${name} is too large.`)
      reply.header("content-security-policy", pagePolicy(html, pages)).removeHeader("content-length").send(html)
    } catch (error) {
      if (reply.raw.destroyed) return
      unavailable(502, "cut", `${name} ends its response too early.`, explain(error))
    }
  }
}

const ignore = (): void => undefined

const isJson = ({ "content-type": type = "" }: IncomingHttpHeaders): boolean => /^application\/json\b/i.test(type)
const isHtml = ({ "content-type": type = "" }: IncomingHttpHeaders): boolean => /^text\/html\b/i.test(type)

async function readPage(stream: Readable): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of stream) {
    const buffer = chunk as Buffer
    size += buffer.length
    if (size > PAGE_LIMIT) return undefined
    chunks.push(buffer)
  }
  return Buffer.concat(chunks).toString()
}
