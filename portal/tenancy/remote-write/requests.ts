import type { IncomingMessage, ServerResponse } from "node:http"
import type { Registry } from "prom-client"
import { methodNotAllowed } from "./errors.ts"
import { MESSAGES } from "./message/media-type.ts"
import { readPath } from "./receive/read-path.ts"
import { sendError } from "./respond.ts"

/** Metrics in the text format. */
export type Exposition = () => Promise<{ readonly type: string; readonly text: string }>

export interface RequestsContext {
  readonly write: (request: IncomingMessage, response: ServerResponse) => void
  /** Undefined where metrics and health are served elsewhere. */
  readonly metrics: Exposition | undefined
  /** Why nothing can be written now; undefined where it can. */
  readonly notReady: () => string | undefined
}

export const expositionOf =
  (registry: Registry): Exposition =>
  async () => ({ type: registry.contentType, text: await registry.metrics() })

/** Everything that comes to the port: POST at any path writes, as with the original. */
export function createRequests({ write, metrics, notReady }: RequestsContext) {
  const handlers = {
    async metrics(response: ServerResponse): Promise<void> {
      if (metrics === undefined)
        return send(response, 404, "Metrics are served on the address --admin.listen-address.\n")
      const { type, text } = await metrics()
      send(response, 200, text, type)
    },
    healthy: (response: ServerResponse): void => send(response, 200, "Healthy.\n"),
    ready(response: ServerResponse): void {
      const reason = notReady()
      send(response, reason === undefined ? 200 : 503, `${reason ?? "Ready."}\n`)
    },
    up: (response: ServerResponse): void => send(response, 200, "Up\n"),
    write: refuseMethod,
  }
  return (request: IncomingMessage, response: ServerResponse): void => {
    if (request.method === "POST") write(request, response)
    else if (request.method === "GET" || request.method === "HEAD")
      void handlers[readPath(request.url ?? "", request.headers)](response)
    else refuseMethod(response)
  }
}

function refuseMethod(response: ServerResponse): void {
  const error = methodNotAllowed({ accepted: `${MESSAGES[1]} or ${MESSAGES[2]}` })
  sendError(response, error, { version: undefined, attempt: undefined, ending: false })
}

function send(response: ServerResponse, status: number, text: string, type = "text/plain; charset=utf-8"): void {
  response.writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(text) })
  response.end(response.req.method === "HEAD" ? undefined : text)
}
