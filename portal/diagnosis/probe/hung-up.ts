import { connect } from "node:net"
import type { Details } from "../cause.ts"
import { handshake } from "./handshake.ts"
import type { Reached } from "./reach.ts"
import { expectedOf } from "./tls.ts"
import type { Visit } from "./visit.ts"

/**
 * Whether a connection that was closed without a response is a matter of TLS, which is noted then: the url is http:// and the
 * port speaks TLS, or the server closes right after the handshake, as Node does where it requires a client certificate.
 */
export async function endsOtherwise(visit: Visit, { address, port }: Reached, details: Details): Promise<boolean> {
  const { checklist, deadline, site } = visit
  const open = () => connect({ host: address, port })
  const expected = expectedOf(visit)
  if (site.url.protocol === "http:") {
    const { protocol } = await handshake(open(), expected, deadline.signal)
    if (protocol === undefined) return false
    checklist.failed({ cause: "tls_expected", details }, `the site speaks ${protocol} on this port`, "tls")
    return true
  }
  const { endedByServer } = await handshake(open(), { ...expected, linger: LINGER }, deadline.signal)
  if (!endedByServer) return false
  const cause = site.tls?.cert_file === undefined ? "tls_client_cert" : "tls_client_cert_refused"
  checklist.failed({ cause, details }, "the site closes the connection right after the handshake", "tls")
  return true
}

/** Milliseconds within which a server that does not accept a client closes the connection. */
const LINGER = 1000
