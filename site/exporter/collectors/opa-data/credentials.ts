import { createSecureContext, type SecureContext } from "node:tls"
import type { Registry } from "prom-client"
import { Agent, buildConnector } from "undici"
import type { ReadText } from "#core/files/read-text.ts"
import { Faults } from "#core/config/faults.ts"
import { explain } from "#core/errors.ts"
import type { Logger } from "#core/log/logger.ts"
import { type Reloading, reloadOnChange } from "#core/files/reload.ts"

export interface CredentialFiles {
  readonly tokenFile: string | undefined
  readonly caFile: string | undefined
  readonly certFile: string | undefined
  readonly keyFile: string | undefined
}

export interface CredentialOptions extends CredentialFiles {
  /** The name that certificates must have; undefined: the address that is asked. */
  readonly serverName: string | undefined
  /** Seconds until a connection must be there. */
  readonly connectTimeout: number
  /** Seconds for which an idle connection is kept. */
  readonly keepAlive: number
  /** To one address, at most: what is asked beyond them waits. */
  readonly connections: number
  readonly now: () => Date
  readonly log: Logger
  readonly registry: Registry
}

interface Loaded {
  readonly agent: Agent
  readonly headers: Readonly<Record<string, string>>
}

/** What is under way with an older one ends with it. */
export type Credentials = Reloading<Loaded>

/** Reads token and certificates, again whenever they change. Throws ConfigurationError where they can't be used at the start. */
export async function openCredentials(options: CredentialOptions): Promise<Credentials> {
  const { now, log, registry } = options
  const reloading = await reloadOnChange({
    config: "credentials",
    load: (read) => load(options, read),
    // the agent ends with its last request, which has its own deadline
    apply: (_, previous) => void previous?.agent.close(),
    now,
    log,
    registry,
  })
  return {
    ...reloading,
    async close() {
      await reloading.close()
      await reloading.current().agent.destroy()
    },
  }
}

function load(options: CredentialOptions, readText: ReadText): Loaded {
  const faults = new Faults()
  const read = (file: string | undefined): string | undefined =>
    file === undefined ? undefined : faults.collect(() => readText(file))
  const token = read(options.tokenFile)?.trim()
  const [ca, cert, key] = [read(options.caFile), read(options.certFile), read(options.keyFile)]
  if (options.tokenFile !== undefined && token !== undefined && !/^[\x21-\x7e]+$/.test(token)) {
    faults.add(options.tokenFile, "must hold one token, a line without spaces")
  }
  if (ca !== undefined && !ca.includes("-----BEGIN CERTIFICATE-----")) {
    faults.add(options.caFile ?? "", "holds no certificate in PEM format")
  }
  let secureContext: SecureContext | undefined
  try {
    secureContext = createSecureContext({ ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) })
  } catch (error) {
    const where = [options.caFile, options.certFile, options.keyFile].filter((file) => file !== undefined).join(", ")
    faults.add(where, `OpenSSL does not accept it: ${explain(error)}`)
  }
  if (faults.any || secureContext === undefined) throw faults.toError()
  return {
    agent: openAgent(secureContext, options),
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
  }
}

/** One context for all connections: each of its own would hold the certificates once more. */
function openAgent(
  secureContext: SecureContext,
  { serverName, connectTimeout, keepAlive, connections }: CredentialOptions,
): Agent {
  const connect = buildConnector({ secureContext, timeout: connectTimeout * 1000, allowH2: false })
  return new Agent({
    connect: (options, callback) =>
      connect(serverName === undefined ? options : { ...options, servername: serverName }, callback),
    connections,
    pipelining: 1,
    headersTimeout: 0, // one deadline spans connecting, waiting and the body
    bodyTimeout: 0,
    keepAliveTimeout: keepAlive * 1000,
    keepAliveMaxTimeout: keepAlive * 1000,
    maxHeaderSize: 16_384,
  })
}
