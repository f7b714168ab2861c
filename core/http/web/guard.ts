import type { IncomingMessage, ServerResponse } from "node:http"
import { basicAuth, userIn } from "./basic-auth.ts"
import type { WebConfig } from "./config.ts"
import { noteUser } from "./user.ts"
import { tokenBucket } from "#core/limits/token-bucket.ts"

/** Whether a request goes on to the routes. If not, a response has been sent. */
export type Guard = (request: IncomingMessage, response: ServerResponse) => Promise<boolean>

export interface GuardOptions {
  /** Paths that need no user, for GET and HEAD, in exactly this spelling: no other one can lead elsewhere. */
  readonly open?: readonly string[] | undefined
  /** Whether the routes find out themselves who sends this, by something else than a password. */
  readonly elsewhere?: ((request: IncomingMessage) => Promise<boolean>) | undefined
  readonly now?: () => number
}

/** What a web configuration requires of every request, in the order of exporter-toolkit: rate, headers, users. */
export function createGuard(config: WebConfig, options: GuardOptions = {}): Guard {
  const { open = [], now = () => performance.now() } = options
  const isOpen = ({ method = "", url = "" }: IncomingMessage): boolean =>
    (method === "GET" || method === "HEAD") && open.includes(url)
  const rate = config.rateLimit === undefined ? undefined : tokenBucket(config.rateLimit, now)
  const authenticate = config.users.size === 0 ? undefined : basicAuth(config.users)
  return async (request, response) => {
    if (rate !== undefined && rate.take() > 0) return refuse(response, 429, "Too many requests.")
    for (const [name, value] of config.headers) response.setHeader(name, value)
    if (authenticate === undefined || isOpen(request)) return true
    if ((await options.elsewhere?.(request)) === true) return true
    const verdict = await authenticate(request.headers.authorization)
    if (verdict === "accepted") {
      noteUser(request, userIn(request.headers.authorization) ?? "")
      return true
    }
    if (verdict === "busy") return refuse(response, 429, "Too many passwords are being checked.")
    response.setHeader("www-authenticate", 'Basic realm="fedstack", charset="UTF-8"')
    return refuse(response, 401, "A user name and password are needed.")
  }
}

function refuse(response: ServerResponse, status: number, message: string): false {
  if (status === 429) response.setHeader("retry-after", "1")
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8" }).end(`${message}\n`)
  return false
}
