import type { RequestOptions as HttpsOptions } from "node:https"
import { Faults } from "#core/config/faults.ts"
import { explain, UsageError } from "#core/errors.ts"
import { wasReadOnce } from "#core/files/read-once.ts"
import { readText } from "#core/files/read-text.ts"
import { certificateIn, faultsOfPair } from "#core/http/pem.ts"
import type { KubeConfig } from "./client-node.ts"
import { PluginFailure } from "./exec-plugin.ts"

type Cluster = NonNullable<ReturnType<KubeConfig["getCurrentCluster"]>>
type User = NonNullable<ReturnType<KubeConfig["getCurrentUser"]>>

/** The cluster of the current context, and what requests to it are sent with. Throws UsageError with every fault. */
export async function credentialsOf(
  config: KubeConfig,
): Promise<{ readonly cluster: Cluster; readonly options: HttpsOptions }> {
  const [cluster, user] = [config.getCurrentCluster(), config.getCurrentUser()]
  const faults = new Faults()
  if (cluster === null) throw new Error("a kubeconfig that was read has a cluster")
  const of = `--kubeconfig: cluster ${cluster.name}`
  checkAddresses(cluster, user, faults, of)
  checkFiles(cluster, user, faults, of)
  faults.orThrow(UsageError)
  const options: HttpsOptions = {}
  const where = `--kubeconfig: user ${user?.name}`
  try {
    await config.applyToHTTPSOptions(options)
  } catch (error) {
    throw new UsageError([{ where, message: reasonOf(error, user) }])
  }
  const { cert, key = "" } = options
  if (cert !== undefined)
    for (const [kind, message] of faultsOfPair(pemOf(cert), pemOf(key)))
      faults.add(`${where}: ${kind === "cert" ? "client-certificate" : "client-key"}`, message)
  faults.orThrow(UsageError)
  return { cluster, options }
}

/** client-node gives a Buffer, an exec plugin a string. */
const pemOf = (pem: unknown): string => (typeof pem === "string" || Buffer.isBuffer(pem) ? pem.toString() : "")

/** Values are not repeated: they may hold a password. */
function checkAddresses({ server, proxyUrl }: Cluster, user: User | null, faults: Faults, of: string): void {
  const [url, proxy] = [httpUrlOf(server), proxyUrl === undefined ? undefined : httpUrlOf(proxyUrl)]
  if (url === undefined) faults.add(`${of}: server`, "must be a URL that begins with https:// or http://")
  // what kubectl proxy listens on has no TLS, and needs no credentials
  else if (url.protocol === "http:" && !isLoopback(url.hostname) && hasCredentials(user))
    faults.add(`${of}: server`, "begins with http://, and credentials must not be sent unencrypted: use https://")
  if (proxyUrl !== undefined && proxy === undefined)
    faults.add(`${of}: proxy-url`, "must be a URL that begins with http:// or https://; SOCKS is not supported")
}

function httpUrlOf(text: string): URL | undefined {
  const url = URL.parse(text)
  return url !== null && ["http:", "https:"].includes(url.protocol) ? url : undefined
}

const isLoopback = (host: string): boolean => /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(host)

const hasCredentials = (user: User | null): boolean =>
  [user?.token, user?.username, user?.password, user?.authProvider, user?.exec].some(Boolean)

/** Each names what it is for, before client-node reads it and does not. */
function checkFiles({ caFile, caData }: Cluster, user: User | null, faults: Faults, of: string): void {
  const ca = textOf(caFile, caData, `${of}: certificate-authority`, faults)
  // without this it would only show as an authority that is not known
  if (ca !== undefined && certificateIn(ca) === undefined)
    faults.add(`${of}: certificate-authority`, "holds no certificate in PEM format")
  const where = `--kubeconfig: user ${user?.name}`
  textOf(user?.certFile, undefined, `${where}: client-certificate`, faults)
  textOf(user?.keyFile, undefined, `${where}: client-key`, faults)
  const provider = user?.authProvider as { name?: string; config?: { tokenFile?: string } } | undefined
  if (provider?.name === "file") textOf(provider.config?.tokenFile, undefined, `${where}: tokenFile`, faults)
}

function textOf(file: string | undefined, data: string | undefined, where: string, faults: Faults) {
  if (file !== undefined && file !== "") {
    const text = faults.collect(() => readText(file, where))
    // client-node reads it too, and again each minute
    if (wasReadOnce(file)) faults.add(where, `the file ${file} is a pipe, which cannot be read again: give a file`)
    return text
  }
  return data === undefined || data === "" ? undefined : Buffer.from(data, "base64").toString()
}

/** Messages of others may repeat what they were given. */
function reasonOf(error: unknown, user: User | null): string {
  if (error instanceof PluginFailure) return error.message
  const provider = (user?.authProvider as { name?: string } | undefined)?.name
  if (provider === undefined || provider === "file") return `has no usable credentials: ${explain(error)}`
  return `the auth-provider ${provider} gave no credentials: sign in again, or use an exec plugin, as kubectl does since 1.26`
}
