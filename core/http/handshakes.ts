import type { Server } from "node:https"
import type { Socket } from "node:net"
import type { TLSSocket } from "node:tls"
import { explain } from "#core/errors.ts"
import type { ClientFailure } from "./client-failures.ts"

/**
 * Connections of a server whose TLS handshake is not over, each of which is ended after some seconds, however it trickles:
 * Node's own limit begins anew with every byte. `timedOut` is called before.
 */
export function limitHandshakes(server: Server, seconds: number, timedOut: (client: string | undefined) => void) {
  // a TLS socket has address and port of the TCP connection that it wraps, and no other link to it
  const underWay = new Map<string, { readonly socket: Socket; readonly timer: NodeJS.Timeout }>()
  const over = (peer: string): void => {
    clearTimeout(underWay.get(peer)?.timer)
    underWay.delete(peer)
  }
  server.on("connection", (socket: Socket) => {
    const peer = peerOf(socket)
    const timer = setTimeout(() => {
      timedOut(socket.remoteAddress)
      socket.destroy(new HandshakeTimeout())
    }, seconds * 1000)
    underWay.set(peer, { socket, timer })
    socket.once("close", () => over(peer))
  })
  server.prependListener("secureConnection", (socket) => over(peerOf(socket)))
  return {
    close(): void {
      for (const { socket } of underWay.values()) socket.destroy()
    },
  }
}

const peerOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`

/** The address of the other end, also where the connection was destroyed: the one that it wraps knows it still. */
export function clientOf({
  remoteAddress,
  _parent: wrapped,
}: TLSSocket & { readonly _parent?: Socket | null }): string | undefined {
  return remoteAddress ?? wrapped?.remoteAddress
}

class HandshakeTimeout extends Error {}

const BY_CODE: Readonly<Record<string, ClientFailure>> = {
  ECONNRESET: "handshake_closed",
  EPIPE: "handshake_closed",
  ERR_SSL_HTTP_REQUEST: "plain_http",
  ERR_SSL_HTTPS_PROXY_REQUEST: "plain_http",
  ERR_SSL_WRONG_VERSION_NUMBER: "not_tls",
  ERR_SSL_PACKET_LENGTH_TOO_LONG: "not_tls",
  ERR_SSL_BAD_RECORD_TYPE: "not_tls",
  ERR_SSL_UNKNOWN_PROTOCOL: "not_tls",
  ERR_SSL_UNEXPECTED_MESSAGE: "not_tls",
  ERR_SSL_UNSUPPORTED_PROTOCOL: "tls_version",
  ERR_SSL_VERSION_TOO_LOW: "tls_version",
  ERR_SSL_NO_SHARED_CIPHER: "tls_version",
  ERR_SSL_NO_SUITABLE_GROUPS: "tls_version",
  ERR_SSL_NO_SUITABLE_KEY_SHARE: "tls_version",
  ERR_SSL_NO_APPLICATION_PROTOCOL: "tls_version",
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: "tls_version",
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: "client_certificate",
}

/** What an error in a handshake means, and `text`, where there is more to say; undefined where it was noted before. */
export function handshakeFailure(
  error: NodeJS.ErrnoException,
  { authorizationError }: Pick<TLSSocket, "authorizationError">,
): { readonly failure: ClientFailure; readonly text: string | undefined } | undefined {
  if (error instanceof HandshakeTimeout) return undefined
  // Node destroys the connection and says no more than that
  if (authorizationError) {
    return { failure: "client_certificate", text: `its certificate is not valid: ${String(authorizationError)}` }
  }
  const code = error.code ?? ""
  const failure = BY_CODE[code]
  if (failure !== undefined) return { failure, text: undefined }
  // OpenSSL's messages are lines of its source; their reason is "tlsv1 alert unknown ca" and the like
  const reason = "reason" in error ? String(error.reason) : explain(error)
  if (!/ALERT_(?:UNKNOWN_CA|\w*CERTIFICATE\w*)$/.test(code)) return { failure: "tls", text: reason }
  const alert = reason.replace(/^.* alert /, "")
  const text = `the client does not accept this server's certificate (${alert}): it must know its authority, and use a name that stands in it`
  return { failure: "certificate_rejected", text }
}
