import type { LookupFunction } from "node:net"
import { createSecureContext, type SecureContext } from "node:tls"
import type { Dispatcher } from "undici"
import { openAgent, openProxyAgent } from "#core/http/agent.ts"
import type { Tls } from "#core/http/credential-schema.ts"
import { trusting } from "#core/http/tls-files.ts"
import { tlsContents } from "./site-tls.ts"
import type { Site } from "./sites.ts"

/** Files as they are written for Prometheus: their contents by their paths. */
export type Contents = ReadonlyMap<string, string>

/** How a server is reached: the site itself, or the token server of its oauth2. */
export interface Route {
  readonly name: string
  readonly tls: Tls | undefined
  readonly proxy: URL | undefined
  /** Of the files that are written for Prometheus. */
  readonly prefix: string
}

const VERSIONS = { TLS12: "TLSv1.2", TLS13: "TLSv1.3" } as const

export const routeOf = ({ name, tls, proxy_url }: Site): Route => ({ name, tls, proxy: proxy_url, prefix: "" })

/** Whom it trusts and what it shows, as Prometheus does. */
export function secureContextOf({ name, tls = {}, prefix }: Route, contents: Contents): SecureContext {
  const { ca, cert, key } = tlsContents(name, tls, prefix, contents)
  const minVersion = tls.min_version && VERSIONS[tls.min_version]
  if ([ca, cert, key, minVersion].every((given) => given === undefined)) return (usual ??= createSecureContext())
  return createSecureContext({ ...trusting(ca), cert, key, ...(minVersion === undefined ? {} : { minVersion }) })
}

/** Of all sites that have no settings of their own: each takes a while to make. */
let usual: SecureContext | undefined

export interface Reaching {
  /** Resolves the host of the URL, or that of the forward proxy. */
  readonly lookup?: LookupFunction | undefined
  /** Bytes that the headers of a response may have. */
  readonly headerLimit?: number
}

export function agentOf(route: Route, contents: Contents, { lookup, headerLimit }: Reaching = {}): Dispatcher {
  const { tls, proxy } = route
  const secureContext = secureContextOf(route, contents)
  const options = { secureContext, serverName: tls?.server_name, lookup, headerLimit }
  return proxy === undefined ? openAgent(options) : openProxyAgent(proxy, options)
}
