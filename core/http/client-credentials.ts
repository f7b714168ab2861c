import type { Registry } from "prom-client"
import type { Agent } from "undici"
import { Faults } from "#core/config/faults.ts"
import { ConfigurationError } from "#core/errors.ts"
import { type Reloading, reloadOnChange } from "#core/files/reload.ts"
import type { Logger } from "#core/log/logger.ts"
import { type AgentOptions, openAgent } from "./agent.ts"
import { faultOfPassword, faultOfToken } from "./bearer-token.ts"
import { readTlsFiles, tlsAgents, type TlsFiles } from "./tls-files.ts"

export interface ClientCredentialOptions extends TlsFiles, Omit<AgentOptions, "secureContext"> {
  /** A file with a bearer token. */
  readonly token: string | undefined
  /** In place of a token: a user, and a file with the password. */
  readonly basicAuth?: { readonly username: string; readonly passwordFile: string } | undefined
  /** Where the files are faulty at the start, requests are sent without them until they are mended. */
  readonly startWithout?: boolean
  /** The label of the metrics, where a process has several. */
  readonly config?: string
  readonly log: Logger
  readonly registry: Registry
}

/** What a request is sent with. */
export interface Sending {
  readonly agent: Agent
  readonly headers: Readonly<Record<string, string>>
}

/** Requests with an older one end with it. */
export type ClientCredentials = Reloading<Sending>

/** Reads token and certificates, and again whenever they change. Throws ConfigurationError where they cannot be used at the start. */
export async function openClientCredentials(options: ClientCredentialOptions): Promise<ClientCredentials> {
  const { token: tokenFile, basicAuth, ca, cert, key, config = "credentials", log, registry } = options
  if ([tokenFile, basicAuth, ca, cert, key].every((file) => file === undefined)) {
    const sending = { agent: openAgent(options), headers: {} }
    return { current: () => sending, reload: () => Promise.resolve(), close: () => sending.agent.destroy() }
  }
  const agents = tlsAgents(options)
  let bare: Agent | undefined
  const reloading = await reloadOnChange<Sending>({
    config,
    load(read) {
      const faults = new Faults()
      const token = tokenFile === undefined ? undefined : faults.collect(() => tokenIn(tokenFile, read))
      const basic = basicAuth && faults.collect(() => basicIn(basicAuth, read))
      const tls = faults.collect(() => readTlsFiles(options, {}, read))
      if (faults.any || tls === undefined) throw faults.toError()
      const authorization = token === undefined ? basic : `Bearer ${token}`
      return { agent: agents.open(tls), headers: authorization === undefined ? {} : { authorization } }
    },
    ...(options.startWithout === true
      ? {
          fallback: {
            load: () => ({ agent: (bare = openAgent({ serverName: options.serverName })), headers: {} }),
            consequence: "sending requests without them",
          },
        }
      : {}),
    log,
    registry,
  })
  return {
    ...reloading,
    async close() {
      await reloading.close()
      await agents.close()
      await bare?.destroy()
    },
  }
}

function tokenIn(file: string, read: (file: string) => string): string {
  const token = read(file).trim()
  const message = faultOfToken(token)
  if (message !== undefined) throw new ConfigurationError([{ where: file, message }])
  return token
}

function basicIn(
  { username, passwordFile }: NonNullable<ClientCredentialOptions["basicAuth"]>,
  read: (file: string) => string,
): string {
  const password = read(passwordFile).replace(/\r?\n$/, "")
  const message = faultOfPassword(password)
  if (message !== undefined) throw new ConfigurationError([{ where: passwordFile, message }])
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`
}
