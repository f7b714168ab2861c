import type { LookupFunction } from "node:net"
import type { SecureContext } from "node:tls"
import { Agent, buildConnector, ProxyAgent } from "undici"

export interface AgentOptions {
  /** Authorities and client certificate; without it, the authorities that Node knows, and none. */
  readonly secureContext?: SecureContext | undefined
  /** The name that certificates must have; undefined: that of the address. */
  readonly serverName?: string | undefined
  /** Resolves names of hosts in place of the system, such as to an address that was checked before. */
  readonly lookup?: LookupFunction | undefined
  /** Bytes that the headers of a response may have. */
  readonly headerLimit?: number | undefined
  /** Seconds until a connection must be there. */
  readonly connectTimeout?: number
  /** Seconds for which an idle connection is kept. */
  readonly keepAlive?: number
  /** To one address, at most: requests beyond them wait. */
  readonly connections?: number
}

/** Connections for requests that have a deadline of their own. Certificates are always verified. */
export function openAgent(options: AgentOptions): Agent {
  const { keepAlive, connections } = options
  return new Agent({
    connect: buildConnector(tlsOf(options)),
    ...(connections === undefined ? {} : { connections }),
    ...(keepAlive === undefined ? {} : { keepAliveTimeout: keepAlive * 1000, keepAliveMaxTimeout: keepAlive * 1000 }),
    pipelining: 1,
    ...reading(options),
  })
}

/** The same through a forward proxy, as Prometheus and curl go through one: with CONNECT for https, and without for http. */
export function openProxyAgent(proxy: URL, options: AgentOptions): ProxyAgent {
  const requestTls = tlsOf(options)
  const { timeout } = requestTls
  const { lookup } = options
  return new ProxyAgent({
    uri: proxy.href,
    requestTls,
    proxyTls: { timeout, ...(lookup === undefined ? {} : { lookup }) },
    ...reading(options),
  })
}

const reading = ({ headerLimit = 16_384 }: AgentOptions) => ({
  headersTimeout: 0, // the deadline spans connecting, waiting and the body
  bodyTimeout: 0,
  maxHeaderSize: headerLimit,
})

const tlsOf = ({ secureContext, serverName, lookup, connectTimeout = 10 }: AgentOptions) => ({
  // one for all connections: each of its own would hold the certificates once more
  ...(secureContext === undefined ? {} : { secureContext }),
  ...(serverName === undefined ? {} : { servername: serverName }),
  ...(lookup === undefined ? {} : { lookup }),
  timeout: connectTimeout * 1000,
  allowH2: false, // undici takes a response that is cancelled in the middle for a whole one
})
