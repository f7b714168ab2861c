import { createSecureContext, type SecureContext } from "node:tls"
import { Gauge, type Registry } from "prom-client"
import { Agent, buildConnector } from "undici"
import type { Closable } from "#core/closable.ts"
import { readText } from "#core/files/read-text.ts"
import { ConfigurationError, explain, type Fault } from "#core/errors.ts"
import type { Logger } from "#core/log/logger.ts"
import { watchFiles } from "#core/files/watch.ts"

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
  readonly log: Logger
  readonly registry: Registry
}

interface Loaded {
  readonly agent: Agent
  readonly headers: Readonly<Record<string, string>>
}

export interface Credentials extends Closable {
  /** Reads the files again, as on SIGHUP. */
  reload(): Promise<void>
  /** As of now. What is under way with an older one ends with it. */
  current(): Loaded
}

/** Reads token and certificates, again whenever they change. Throws ConfigurationError where they can't be used at the start. */
export async function openCredentials(options: CredentialOptions): Promise<Credentials> {
  const { log, registry } = options
  const files = [options.tokenFile, options.caFile, options.certFile, options.keyFile].filter(
    (file) => file !== undefined,
  )
  let loaded = load(options)
  const successful = reloadGauge(registry)
  successful.set(1)
  const reload = (): Promise<void> => {
    try {
      const next = load(options)
      void loaded.agent.close() // it ends with its last request, which has its own deadline
      loaded = next
      successful.set(1)
      log.info({ files }, "token and certificates for OPA read again")
    } catch (error) {
      successful.set(0)
      log.error({ reason: explain(error) }, "token or certificates for OPA have faults; those before stay in use")
    }
    return Promise.resolve()
  }
  const watching = await watchFiles(files, reload)
  return {
    current: () => loaded,
    reload,
    async close() {
      await watching.close()
      await loaded.agent.destroy()
    },
  }
}

function load(options: CredentialOptions): Loaded {
  const faults: Fault[] = []
  const read = (file: string | undefined): string | undefined => {
    try {
      return file === undefined ? undefined : readText(file)
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error
      faults.push(...error.faults)
      return undefined
    }
  }
  const token = read(options.tokenFile)?.trim()
  const [ca, cert, key] = [read(options.caFile), read(options.certFile), read(options.keyFile)]
  if (options.tokenFile !== undefined && token !== undefined && !/^[\x21-\x7e]+$/.test(token)) {
    faults.push({ where: options.tokenFile, message: "must hold one token, a line without spaces" })
  }
  if (ca !== undefined && !ca.includes("-----BEGIN CERTIFICATE-----")) {
    faults.push({ where: options.caFile ?? "", message: "holds no certificate in PEM format" })
  }
  let secureContext: SecureContext | undefined
  try {
    secureContext = createSecureContext({ ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) })
  } catch (error) {
    const where = [options.caFile, options.certFile, options.keyFile].filter((file) => file !== undefined).join(", ")
    faults.push({ where, message: `OpenSSL does not take it: ${explain(error)}` })
  }
  if (faults.length > 0 || secureContext === undefined) throw new ConfigurationError(faults)
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

const reloadGauge = (registry: Registry): Gauge =>
  new Gauge({
    name: "opa_data_exporter_credentials_last_reload_successful",
    help: "1 if the token and the certificates for OPA were good when they were last read, else 0.",
    registers: [registry],
  })
