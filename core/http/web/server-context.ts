import { constants } from "node:crypto"
import type { Server } from "node:https"
import type { TlsConfig } from "./tls.ts"

/** Sets what new connections of a server begin with. */
export function setContext(server: Server, { context, clients }: TlsConfig): void {
  const identifies = clients.auth !== "NoClientCert"
  server.setSecureContext({
    ...context,
    // a resumed session would bring the certificate of before, verified by what was in force then
    ...(identifies && { secureOptions: constants.SSL_OP_NO_TICKET }),
  })
  if (identifies) allowPartialTrustChain(server)
}

/**
 * Makes each certificate of client_ca_file one that is trusted by itself, as in Go, also where it is not a root. Node takes
 * an option of this name for connections of clients, and drops it for a server.
 */
function allowPartialTrustChain(server: Server): void {
  const { _sharedCreds } = server as Server & { _sharedCreds?: { context?: { setAllowPartialTrustChain?(): void } } }
  _sharedCreds?.context?.setAllowPartialTrustChain?.()
}
