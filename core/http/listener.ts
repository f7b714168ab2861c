import { createServer as createPlain, type RequestListener, type Server } from "node:http"
import { createServer as createSecure, Server as SecureServer } from "node:https"
import type { AddressInfo, Socket } from "node:net"
import type { Duplex } from "node:stream"
import type { TLSSocket } from "node:tls"
import type { ClientFailures } from "./client-failures.ts"
import { trackConnections } from "./connections.ts"
import { clientOf, handshakeFailure, limitHandshakes } from "./handshakes.ts"
import {
  hasManyHeaders,
  hasOneHost,
  type HeaderLimit,
  malformed,
  MOST_HEADERS,
  refuseMalformed,
  refuseManyHeaders,
} from "./malformed.ts"
import { boundUnfinishedHeaders } from "./unfinished-headers.ts"
import { refusal, verifiedUntil } from "./web/client-certificate.ts"
import { setContext } from "./web/server-context.ts"
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

/** Bytes of requests that are not whole, of all connections. */
const MOST_UNFINISHED = 32 * 2 ** 20

export type Listener = ReturnType<typeof createListener>

interface ListenerOptions {
  /** undefined: plain HTTP. */
  readonly tls: TlsConfig | undefined
  readonly timeouts: Timeouts
  readonly headers: HeaderLimit
  /** Whether `handle` sends `100 Continue` itself. */
  readonly asksForBodies: boolean
  readonly failures: ClientFailures
  readonly log: Logger
  readonly handle: RequestListener
}

/** One listening socket with its connections. */
export function createListener(options: ListenerOptions) {
  const { tls, timeouts, headers, asksForBodies, failures, log, handle } = options
  let inForce = tls
  let headerLimit = headers
  const sockets = new Set<Socket>() // TCP, also those whose TLS handshake is not over
  const connections = trackConnections({
    handle(request, response) {
      if (hasManyHeaders(request)) {
        failures.note(
          "headers_too_large",
          request.socket.remoteAddress,
          `its request has more than ${MOST_HEADERS} headers`,
        )
        return refuseManyHeaders(response)
      }
      if (hasOneHost(request)) return handle(request, response)
      failures.note("malformed", request.socket.remoteAddress)
      refuseMalformed(response)
    },
    flooded: ({ remoteAddress }) => failures.note("pipelined", remoteAddress),
  })
  const unfinished = boundUnfinishedHeaders({
    most: MOST_UNFINISHED,
    unfinished: () => connections.unfinished(),
    tooMany: ({ remoteAddress }) => failures.note("unfinished_headers", remoteAddress),
  })
  const server = createServer(tls, timeouts, headers, connections.receive)
  const handshakes =
    server instanceof SecureServer
      ? limitHandshakes(server, timeouts.headers, (client) => failures.note("handshake_timeout", client))
      : undefined
  server.setTimeout(timeouts.idle * 1000)
  server.maxHeadersCount = MOST_HEADERS + 1
  // an unknown one is ignored: its client gets what every other gets
  server.on("checkExpectation", connections.receive)
  if (asksForBodies) server.on("checkContinue", connections.receive)
  server.on("connection", (socket: Socket) => {
    sockets.add(socket)
    socket.once("close", () => sockets.delete(socket))
  })
  server.prependListener(handshakes === undefined ? "connection" : "secureConnection", (socket: Socket) => {
    const clients = inForce?.clients
    const reason = clients === undefined ? undefined : refusal(socket as TLSSocket, clients)
    if (reason !== undefined) {
      failures.note("client_certificate", socket.remoteAddress, reason)
      socket.destroy()
      return
    }
    connections.add(socket)
    const expiry = clients === undefined ? undefined : verifiedUntil(socket as TLSSocket, clients)
    // a request on it would be refused; on a new connection the client shows its next certificate
    if (expiry !== undefined) connections.endAt(socket, expiry)
  })
  server.on("tlsClientError", (error: Error, socket: TLSSocket) => {
    const failed = handshakeFailure(error, socket)
    if (failed !== undefined) failures.note(failed.failure, clientOf(socket), failed.text)
  })
  server.on("clientError", (error: NodeJS.ErrnoException, stream: Duplex) => {
    const socket = stream as Socket
    const fault = malformed(error.code, headerLimit)
    // a TLS socket whose handshake is not over never ends by itself
    if (fault === undefined || !connections.has(socket)) {
      socket.destroy()
      return
    }
    failures.note(fault.failure, socket.remoteAddress, fault.text)
    connections.endMalformed(socket, fault.response)
  })

  return {
    /** Throws CANNOT_LISTEN, which names the flag that chooses the address. */
    async listen(address: Address, flag: string, reusePort = false): Promise<Address> {
      await listen(server, address, flag, reusePort)
      server.on("error", (error) => log.error({ reason: explain(error) }, "connection not accepted"))
      const { address: host, port } = server.address() as AddressInfo
      return { host, port }
    },
    /** For new connections. Open ones go on with what they began with, unless other clients are accepted now. */
    setTls(next: TlsConfig): void {
      if (!(server instanceof SecureServer)) return
      setContext(server, next)
      if (inForce !== undefined && acceptsOthers(inForce, next)) connections.endAll()
      inForce = next
    },
    /** For new connections. */
    limitHeaders(next: HeaderLimit): void {
      headerLimit = next
      // read by Node for each connection, though no type says so
      Object.assign(server, { maxHeaderSize: next.bytes })
    },
    /** Accepts nothing new, lets requests under way finish within the deadline, and ends every connection. */
    async close(): Promise<void> {
      unfinished.close()
      if (!server.listening) return
      const { promise, resolve } = Promise.withResolvers<void>()
      server.close(() => resolve())
      connections.endAll()
      handshakes?.close()
      const force = setTimeout(() => {
        for (const socket of sockets) socket.destroy()
      }, timeouts.close * 1000)
      await promise
      clearTimeout(force)
    },
  }
}

function createServer(
  tls: TlsConfig | undefined,
  timeouts: Timeouts,
  headers: HeaderLimit,
  handle: RequestListener,
): Server | SecureServer {
  const options = {
    maxHeaderSize: headers.bytes,
    headersTimeout: timeouts.headers * 1000,
    requestTimeout: timeouts.request * 1000,
    keepAliveTimeout: timeouts.keepAlive * 1000,
    connectionsCheckingInterval: Math.min(1000, timeouts.headers * 250),
    requireHostHeader: false, // hasOneHost() says more
  }
  if (tls === undefined) return createPlain(options, handle)
  const { auth } = tls.clients
  const server = createSecure(
    {
      ...options,
      handshakeTimeout: timeouts.headers * 2000, // limitHandshakes() is before it
      requestCert: auth !== "NoClientCert",
      // the other policies let clients in that have no valid certificate; refusal() decides about them
      rejectUnauthorized: auth === "RequireAndVerifyClientCert",
    },
    handle,
  )
  setContext(server, tls)
  return server
}

function acceptsOthers(before: TlsConfig, next: TlsConfig): boolean {
  const acceptedBy = ({ context, clients }: TlsConfig): string => JSON.stringify([context.ca, clients])
  return acceptedBy(before) !== acceptedBy(next)
}

async function listen(
  server: Server | SecureServer,
  { host, port }: Address,
  flag: string,
  reusePort: boolean,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once("error", reject)
  server.listen({ port, ...(host === "" ? {} : { host }), ...(reusePort && { reusePort }) }, resolve)
  try {
    await promise
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : ""
    const reason = code === "EADDRINUSE" ? "another process uses it" : explain(error)
    throw cannotListen({ address: showAddress({ host, port }), reason, flag })
  }
  server.off("error", reject)
}

export function showAddress({ host, port }: Address): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`
}
