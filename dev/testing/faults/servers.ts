import { once } from "node:events"
import { createServer, type RequestListener } from "node:http"
import { createServer as createSecureServer, type ServerOptions } from "node:https"
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from "node:net"
import type { Closable } from "#core/closable.ts"
import { type FaultySite, TOKEN_FILES, WITH_TOKEN } from "./fault.ts"

export interface Listening extends Closable {
  readonly port: number
}

/** Listens on a free port. Closing ends its connections too. */
export async function listening(server: Server, address = "127.0.0.1"): Promise<Listening> {
  const sockets = new Set<Socket>()
  server.on("connection", (socket: Socket) => {
    sockets.add(socket)
    socket.on("error", () => undefined).once("close", () => sockets.delete(socket)) // what breaks is the fault
  })
  server.listen(0, address)
  await once(server, "listening")
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = once(server, "close")
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

interface Additions {
  /** Beside url and token; `url: undefined` is that of the server. */
  readonly entry?: Readonly<Record<string, unknown>>
  readonly files?: Readonly<Record<string, string>>
  readonly limits?: FaultySite["limits"]
  readonly global?: FaultySite["global"]
  readonly spoil?: FaultySite["spoil"]
}

/** The site behind what listens. */
export function siteAt(url: string, server: Closable, { entry, files, ...others }: Additions = {}): FaultySite {
  return {
    entry: { url, ...WITH_TOKEN, ...entry },
    files: { ...TOKEN_FILES, ...files },
    ...others,
    close: () => server.close(),
  }
}

/** A site that responds over HTTP. */
export async function httpSite(respond: RequestListener, additions?: Additions): Promise<FaultySite> {
  const server = await listening(createServer(respond))
  return siteAt(`http://127.0.0.1:${server.port}`, server, additions)
}

/** A site of which only bytes are known. */
export async function tcpSite(
  connected: (socket: Socket) => void,
  scheme: "http" | "https" = "http",
  additions?: Additions,
): Promise<FaultySite> {
  const server = await listening(createTcpServer(connected))
  return siteAt(`${scheme}://127.0.0.1:${server.port}`, server, additions)
}

/** A site that responds with usage, over TLS. */
export async function tlsSite(options: ServerOptions, host: string, additions?: Additions): Promise<FaultySite> {
  const server = await listening(
    createSecureServer(options, (_, response) => respondWithUsage(response)).on("tlsClientError", () => undefined),
  )
  return siteAt(`https://${host}:${server.port}`, server, additions)
}

export const METRICS = { "content-type": "text/plain; version=0.0.4; charset=utf-8" } as const

/** A sample of now, or of `ahead` seconds later, as /federate writes it. */
export const usageLine = (ahead = 0, project = "a", value = 5): string =>
  `project_vcpu_usage{job="project_usages",instance="",project_name="${project}"} ${value} ${Date.now() + Math.round(ahead * 1000)}\n`

export function respondWithUsage(response: Parameters<RequestListener>[1]): void {
  response.writeHead(200, METRICS).end(usageLine())
}
