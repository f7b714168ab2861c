import { createHash } from "node:crypto"
import { promisify } from "node:util"
import { constants, gzip } from "node:zlib"
import type { FastifyReply, FastifyRequest } from "fastify"
import { acceptsGzip } from "#core/http/accept-encoding.ts"
import type { StaticFile } from "./assets.ts"

const compress = promisify(gzip)

/** A response as it is sent to everybody who requests the same. */
export interface Prepared {
  readonly type: string
  readonly body: Buffer
  readonly etag: string
  /** Made when it is first wanted. */
  gzip?: Promise<Buffer>
}

export function prepare(type: string, text: string): Prepared {
  const body = Buffer.from(text)
  return { type, body, etag: `W/"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"` }
}

/** Smaller ones do not become shorter. */
const WORTH_IT = 1400

/** Compressed where the client takes it; 304 where it has the same already. */
export async function send(
  request: FastifyRequest,
  reply: FastifyReply,
  prepared: Prepared,
  caching = "no-cache",
): Promise<FastifyReply> {
  const { type, body, etag } = prepared
  reply.header("etag", etag).header("cache-control", caching).header("vary", "accept-encoding").type(type)
  if (isFresh(request, etag)) return reply.code(304).send()
  if (body.length < WORTH_IT || !acceptsGzip(request.headers["accept-encoding"])) return reply.send(body)
  prepared.gzip ??= compress(body, { level: constants.Z_DEFAULT_COMPRESSION })
  return reply.header("content-encoding", "gzip").send(await prepared.gzip)
}

/** By weak comparison, as RFC 9110 13.1.2 has it. */
function isFresh({ headers }: FastifyRequest, etag: string): boolean {
  const known = headers["if-none-match"]?.split(",").map((tag) => tag.trim()) ?? []
  return known.includes("*") || known.includes(etag) || known.includes(etag.slice(2))
}

/** A file whose name has the hash of its content. */
export function sendStatic(request: FastifyRequest, reply: FastifyReply, file: StaticFile): FastifyReply {
  reply.header("cache-control", "public, max-age=31536000, immutable").header("vary", "accept-encoding").type(file.type)
  const accepted = request.headers["accept-encoding"]
  if (/\bbr\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))/.test(accepted ?? "")) {
    return reply.header("content-encoding", "br").send(file.br)
  }
  return acceptsGzip(accepted) ? reply.header("content-encoding", "gzip").send(file.gzip) : reply.send(file.body)
}
