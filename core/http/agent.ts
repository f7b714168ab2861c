import type { SecureContext } from "node:tls"
import { Agent, buildConnector, ProxyAgent } from "undici"

export interface AgentOptions {
  /** Authorities and client certificate; without it, the authorities that Node knows, and none. */
  readonly secureContext?: SecureContext | undefined
  /** The name that certificates must have; undefined: that of the address. */
  readonly serverName?: string | undefined
  /** Seconds until a connection must be there. */
  readonly connectTimeout?: number
  /** Seconds for which an idle connection is kept. */
  readonly keepAlive?: number
  /** To one address, at most: requests beyond them wait. */
  readonly connections?: number
}

/** Connections for requests that have a deadline of their own. Certificates are always verified. */
export function openAgent(options: AgentOptions): Agent {
  const { secureContext, serverName, connectTimeout = 10, keepAlive, connections } = options
  const connect = buildConnector({
    // one for all connections: each of its own would hold the certificates once more
    ...(secureContext === undefined ? {} : { secureContext }),
    ...(serverName === undefined ? {} : { servername: serverName }),
    timeout: connectTimeout * 1000,
    allowH2: false, // undici takes a response that is cancelled in the middle for a whole one
  })
  return new Agent({
    connect,
    ...(connections === undefined ? {} : { connections }),
    ...(keepAlive === undefined ? {} : { keepAliveTimeout: keepAlive * 1000, keepAliveMaxTimeout: keepAlive * 1000 }),
    pipelining: 1,
    headersTimeout: 0, // the deadline spans connecting, waiting and the body
    bodyTimeout: 0,
    maxHeaderSize: 16_384,
  })
}

/** The same through a forward proxy, as Prometheus and curl go through one: with CONNECT for https, and without for http. */
export function openProxyAgent(
  proxy: URL,
  { secureContext, serverName, connectTimeout = 10 }: AgentOptions,
): ProxyAgent {
  return new ProxyAgent({
    uri: proxy.href,
    requestTls: {
      ...(secureContext === undefined ? {} : { secureContext }),
      ...(serverName === undefined ? {} : { servername: serverName }),
      timeout: connectTimeout * 1000,
      allowH2: false,
    },
    proxyTls: { timeout: connectTimeout * 1000 },
    headersTimeout: 0, // the deadline spans all
    bodyTimeout: 0,
    maxHeaderSize: 16_384,
  })
}
