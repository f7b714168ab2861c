import { createServer as createPlain, type RequestListener, type Server, type ServerResponse } from "node:http"
import { createServer as createSecure, Server as SecureServer } from "node:https"
import type { AddressInfo, Socket } from "node:net"
import type { Duplex } from "node:stream"
import type { TLSSocket } from "node:tls"
import { refusal } from "./web/client-certificate.ts"
import { defineError, explain } from "#core/errors.ts"
import type { Logger } from "#core/log/logger.ts"
import type { Address } from "#core/config/settings.ts"
import type { TlsConfig } from "./web/tls.ts"

const cannotListen = defineError(
  "CANNOT_LISTEN",
  500,
  "Cannot listen on {address}: {reason}. Free the port or choose another with {flag}.",
)

/** Seconds. */
export const TIMEOUTS = {
  /** Until the headers of a request must be there. */
  headers: 10,
  /** Until a whole request must be there. */
  request: 30,
  /** Without a byte in either direction while a request is under way. */
  idle: 120,
  /** Without a request. A scraper that keeps its connection closes it first: Prometheus does after 5 minutes. */
  keepAlive: 310,
  /** That requests under way have to finish when the server closes. */
  close: 8,
}
export type Timeouts = Readonly<typeof TIMEOUTS>

export type Listener = ReturnType<typeof createListener>

/** One listening socket with its connections. */
export function createListener(tls: TlsConfig | undefined, timeouts: Timeouts, log: Logger, handle: RequestListener) {
  let closing = false
  let clients = tls?.clients
  const connections = new Set<Socket>() // TCP, also those whose TLS handshake is not over
  const responses = new Map<Socket, ServerResponse | undefined>() // by connection, the one under way
  // one function for all responses: one for each would be garbage of every request
  function ended(this: ServerResponse): void {
    const { socket } = this.req
    if (responses.get(socket) !== this) return
    responses.set(socket, undefined)
    if (closing) socket.destroySoon()
  }
  const server = createServer(tls, timeouts, (request, response) => {
    responses.set(request.socket, response)
    response.on("close", ended)
    handle(request, response)
  })
  server.setTimeout(timeouts.idle * 1000)
  server.on("connection", (socket: Socket) => {
    connections.add(socket)
    socket.once("close", () => connections.delete(socket))
  })
  server.prependListener(server instanceof SecureServer ? "secureConnection" : "connection", (socket: Socket) => {
    const reason = clients === undefined ? undefined : refusal(socket as TLSSocket, clients)
    if (reason !== undefined) {
      log.info({ client: socket.remoteAddress, reason }, "client refused")
      socket.destroy()
      return
    }
    responses.set(socket, undefined)
    socket.once("close", () => responses.delete(socket))
  })
  server.on("tlsClientError", (error: Error, socket: TLSSocket) => {
    log.debug({ client: socket.remoteAddress, reason: explain(error) }, "TLS handshake failed")
  })
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Duplex) => {
    const begun = responses.get(socket as Socket)?.headersSent ?? false
    if (!socket.writable || begun || error.code === "ECONNRESET") socket.destroy()
    else socket.end(responseTo(error.code), () => socket.destroy())
  })

  return {
    /** Throws CANNOT_LISTEN, which names the flag that chooses the address. */
    async listen(address: Address, flag: string): Promise<Address> {
      await listen(server, address, flag)
      server.on("error", (error) => log.error({ reason: explain(error) }, "connection not accepted"))
      const { address: host, port } = server.address() as AddressInfo
      return { host, port }
    },
    /** For new connections; open ones go on with what they began with. */
    setTls(next: TlsConfig): void {
      clients = next.clients
      if (server instanceof SecureServer) server.setSecureContext(next.context)
    },
    /** Accepts nothing new, lets requests under way finish within the deadline, and ends every connection. */
    async close(): Promise<void> {
      if (!server.listening) return
      closing = true
      const { promise, resolve } = Promise.withResolvers<void>()
      server.close(() => resolve())
      for (const [socket, response] of responses) {
        if (response === undefined) socket.destroy()
        else if (!response.headersSent) response.setHeader("connection", "close")
      }
      // those whose handshake is not over: a TLS socket has the port of the TCP connection that it wraps
      const served = new Set([...responses.keys()].map(({ remotePort }) => remotePort))
      for (const socket of connections) if (!served.has(socket.remotePort)) socket.destroy()
      const force = setTimeout(() => {
        for (const socket of connections) socket.destroy()
      }, timeouts.close * 1000)
      await promise
      clearTimeout(force)
    },
  }
}

function createServer(tls: TlsConfig | undefined, timeouts: Timeouts, handle: RequestListener): Server | SecureServer {
  const options = {
    headersTimeout: timeouts.headers * 1000,
    requestTimeout: timeouts.request * 1000,
    keepAliveTimeout: timeouts.keepAlive * 1000,
    connectionsCheckingInterval: Math.min(1000, timeouts.headers * 250),
  }
  if (tls === undefined) return createPlain(options, handle)
  const { auth } = tls.clients
  return createSecure(
    {
      ...options,
      ...tls.context,
      handshakeTimeout: timeouts.headers * 1000,
      requestCert: auth !== "NoClientCert",
      // the other policies let clients in that have no valid certificate; refusal() decides about them
      rejectUnauthorized: auth === "RequireAndVerifyClientCert",
    },
    handle,
  )
}

async function listen(server: Server | SecureServer, address: Address, flag: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once("error", reject)
  server.listen({ port: address.port, ...(address.host === "" ? {} : { host: address.host }) }, resolve)
  try {
    await promise
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : ""
    const reason = code === "EADDRINUSE" ? "another process uses it" : explain(error)
    throw cannotListen({ address: showAddress(address), reason, flag })
  }
  server.off("error", reject)
}

export function showAddress({ host, port }: Address): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`
}

/** A whole response to what was no request. */
function responseTo(code: string | undefined): string {
  const [status, message] =
    code === "HPE_HEADER_OVERFLOW"
      ? ["431 Request Header Fields Too Large", "The headers of the request are too large."]
      : code === "ERR_HTTP_REQUEST_TIMEOUT"
        ? ["408 Request Timeout", "The request took too long to arrive."]
        : ["400 Bad Request", "This is not a valid HTTP request."]
  const type = "content-type: text/plain; charset=utf-8"
  return `HTTP/1.1 ${status}\r\nconnection: close\r\n${type}\r\ncontent-length: ${message.length + 1}\r\n\r\n${message}\n`
}
