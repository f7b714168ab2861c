import { request as httpRequest } from "node:http"
import { request as httpsRequest } from "node:https"
import type { LookupFunction, Socket } from "node:net"
import { describeFailure } from "#core/http/connection-failure.ts"
import { hostnameOf, portOf, withPort } from "./addresses.ts"

/** A connection on which a TLS handshake can begin; or why a forward proxy gives none. */
type Opened =
  | { readonly kind: "open"; readonly socket: Socket }
  | { readonly kind: "no_tunnel"; readonly status?: number; readonly problem: string }

/** Through a forward proxy by CONNECT (RFC 9110, 9.3.6). Never rejects. */
export function openThrough(proxy: URL, target: URL, lookup: LookupFunction, signal: AbortSignal): Promise<Opened> {
  const { promise, resolve } = Promise.withResolvers<Opened>()
  const path = withPort(hostnameOf(target), portOf(target))
  const options = { method: "CONNECT", path, lookup, signal, headers: { host: path }, agent: false as const }
  const request = (proxy.protocol === "https:" ? httpsRequest : httpRequest)(proxy, options)
  request.on("connect", ({ statusCode = 0 }, socket: Socket) => {
    if (statusCode >= 200 && statusCode < 300) return resolve({ kind: "open", socket })
    socket.destroy()
    resolve({ kind: "no_tunnel", status: statusCode, problem: `it responds with ${statusCode}` })
  })
  request.on("error", (error) => resolve({ kind: "no_tunnel", problem: describeFailure(error).problem }))
  request.end()
  return promise
}
