import type { ServerResponse } from "node:http"
import { FedstackError } from "#core/errors.ts"
import { LimitExceeded } from "#core/limits/client-limits.ts"
import type { Version } from "./message/version.ts"
import { NO_COUNTS } from "./message/counts.ts"
import type { WriteResponse } from "./outcome/combine.ts"
import { ownRetryAfter } from "./outcome/retry-after.ts"
import { writtenHeaders } from "./outcome/written.ts"

/** Bytes of a body that is refused and read to its end nevertheless, so that the connection can be used again. */
const MOST_SKIPPED = 1_048_576

export function sendWrite(response: ServerResponse, { status, headers, body }: WriteResponse): void {
  if (response.destroyed || response.headersSent) return
  response.writeHead(status, {
    ...headers,
    ...(status === 204
      ? {}
      : { "content-type": "text/plain; charset=utf-8", "content-length": Buffer.byteLength(body) }),
  })
  response.end(body)
}

interface Refused {
  readonly version: Version | undefined
  readonly attempt: number | undefined
  readonly ending: boolean
}

/** What was refused before anything was sent, or is a defect. */
export function sendError(response: ServerResponse, error: unknown, { version, attempt, ending }: Refused): void {
  const known = error instanceof FedstackError ? error : undefined
  const status = known?.status ?? 500
  const { req: request } = response
  const length = Number(request.headers["content-length"] ?? Infinity)
  if (ending || (!request.complete && length > MOST_SKIPPED)) response.shouldKeepAlive = false
  sendWrite(response, {
    status,
    headers: {
      ...(version === 2 ? writtenHeaders(NO_COUNTS) : {}),
      ...(status === 429 || status >= 500 ? { "retry-after": String(retryAfterOf(error, attempt)) } : {}),
      ...(known?.code === "UNAUTHENTICATED" ? { "www-authenticate": "Bearer" } : {}),
      ...(known?.code === "METHOD_NOT_ALLOWED" ? { allow: "POST" } : {}),
    },
    body: `${known?.message ?? "Internal error; see the log."}\n`,
  })
}

const retryAfterOf = (error: unknown, attempt = 0): number =>
  error instanceof LimitExceeded ? Math.max(1, Math.ceil(error.retryAfter)) : ownRetryAfter(attempt)
