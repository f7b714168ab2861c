import { existsSync, readFileSync } from "node:fs"
import { isIPv6 } from "node:net"
import { delimiter, dirname, join, resolve } from "node:path"
import { explain, UsageError } from "#core/errors.ts"
import { readText } from "#core/files/read-text.ts"
import { type KubeConfig, loadKubeConfig, type User } from "./client-node.ts"
import { applyPlugin, type ExecPlugin } from "./exec-plugin.ts"

/** The values of `kubernetesSettings`, and the environment of the process. */
export interface ClusterSource {
  /** Several files are separated as in KUBECONFIG, which is not looked at here. */
  readonly kubeconfig?: string | undefined
  readonly context?: string | undefined
  /** Where the address of a pod's cluster and the home folder stand. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Where a pod finds its service account; only tests name another folder. */
  readonly serviceAccount?: string
}

const SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"

type KubeconfigEntry = Readonly<Record<string, unknown>> & { readonly name: string }
type Lists = Readonly<Record<"clusters" | "users" | "contexts", readonly KubeconfigEntry[]>>

/**
 * The kubeconfig given, else a pod's service account unless a context is given, else ~/.kube/config. Everything is read
 * now; client-node reads token files of accounts and users (`tokenFile`) again. Throws UsageError.
 */
export async function readKubeconfig(source: ClusterSource): Promise<KubeConfig> {
  const config = new (await loadKubeConfig())()
  config.addAuthenticator(pluginAuthenticator(source.env))
  const { kubeconfig = "", context, env, serviceAccount = SERVICE_ACCOUNT } = source
  const named = kubeconfig.split(delimiter).filter((file) => file !== "")
  if (context === undefined && named.length === 0 && isInCluster(env, serviceAccount)) {
    config.loadFromString(JSON.stringify(inCluster(env, serviceAccount)))
    return config
  }
  const files = named.length > 0 ? named : [join(env.HOME ?? "/", ".kube/config")]
  const present = files.filter((file) => existsSync(file))
  if (present.length === 0) {
    const missing = files.join(" or ")
    if (named.length > 0) throw wrong("--kubeconfig", `there is no file ${missing}`)
    throw wrong("--kubeconfig", `is needed: this is no pod with a service account, and there is no ${missing}`)
  }
  const file = present.join(delimiter)
  const texts = present.map((one) => [one, textIn(one)] as const)
  const { parse } = await import("yaml") // which a pod with an account does not need
  try {
    config.loadFromString(JSON.stringify(merge(texts.map(([one, content]) => located(one, parse(content))))))
  } catch (error) {
    const reason = explain(error).replace(/:\n.*/s, "") // yaml repeats the line, which may hold a token
    throw wrong("--kubeconfig", `${file} is no usable kubeconfig: ${reason}`)
  }
  if (context !== undefined) config.setCurrentContext(context)
  const current = config.getContextObject(config.getCurrentContext())
  if (current === null) {
    const names = config.getContexts().map(({ name }) => name)
    if (names.length === 0) throw wrong("--kubeconfig", `${file} is no usable kubeconfig: it has no contexts`)
    const which = config.getCurrentContext()
    const lacks = which ? `has no context ${which}` : "names no current-context"
    throw wrong("--context", `${file} ${lacks}; it has: ${names.join(", ")}`)
  }
  for (const [what, found] of [
    ["cluster", config.getCurrentCluster()],
    ["user", config.getCurrentUser()],
  ] as const)
    if (found === null)
      throw wrong("--kubeconfig", `${file} is no usable kubeconfig: its context names no ${what} in it`)
  return config
}

/** Read again with new credentials, each minute: a pipe would block the process the second time. */
function textIn(file: string): string {
  try {
    return readText(file)
  } catch (error) {
    throw wrong("--kubeconfig", explain(error))
  }
}

const wrong = (where: "--kubeconfig" | "--context", message: string) => new UsageError([{ where, message }])

function isInCluster(env: ClusterSource["env"], folder: string): boolean {
  return Boolean(env.KUBERNETES_SERVICE_HOST) && existsSync(join(folder, "token"))
}

function inCluster(env: ClusterSource["env"], folder: string): unknown {
  const { KUBERNETES_SERVICE_HOST: host = "", KUBERNETES_SERVICE_PORT: port = "443" } = env
  const cluster = {
    server: `https://${isIPv6(host) ? `[${host}]` : host}:${port}`,
    "certificate-authority": join(folder, "ca.crt"),
  }
  const user = tokenFile(join(folder, "token"))
  const name = "in-cluster"
  return {
    clusters: [{ name, cluster }],
    users: [{ name, user }],
    contexts: [{ name, context: { cluster: name, user: name, namespace: namespaceOf(folder) } }],
    "current-context": name,
  }
}

/** The one that the pod runs in. */
function namespaceOf(folder: string): string | undefined {
  const file = join(folder, "namespace")
  return existsSync(file) ? readFileSync(file, "utf8").trim() : undefined
}

/** client-node reads a kubeconfig's `tokenFile` not at all, and a `token-file` only once; this one again each minute. */
const tokenFile = (file: string): object => ({ "auth-provider": { name: "file", config: { tokenFile: file } } })

/** A context without a user: client-node would not trust the CA of its cluster then. */
const NOBODY = "(none)"

/** Plugins are run here, for client-node waits for them without an end and repeats what they print. */
function authenticated({ exec, ...user }: Readonly<Record<string, unknown>>, file: string): object {
  if (typeof user.tokenFile === "string") return { ...user, ...tokenFile(user.tokenFile) }
  if (exec === undefined || exec === null) return user
  const plugin = exec as ExecPlugin
  // a name is looked for in PATH
  const command = plugin.command?.includes("/") === true ? resolve(dirname(file), plugin.command) : plugin.command
  return { ...user, "auth-provider": { name: PLUGIN, config: { plugin: { ...plugin, command } } } }
}

const PLUGIN = "exec plugin"

const pluginAuthenticator = (env: ClusterSource["env"]) => ({
  isAuthProvider: ({ authProvider }: User) => (authProvider as { name?: string } | undefined)?.name === PLUGIN,
  applyAuthentication: ({ authProvider }: User, options: object) =>
    applyPlugin((authProvider as { config: { plugin: ExecPlugin } }).config.plugin, env, options),
})

/** client-node refuses a server without TLS whose certificate would be verified, if it had one. */
const withoutTls = (cluster: Readonly<Record<string, unknown>>): object =>
  typeof cluster.server === "string" && /^http:/i.test(cluster.server)
    ? { ...cluster, "insecure-skip-tls-verify": true }
    : cluster

const FILES = new Set(["certificate-authority", "client-certificate", "client-key", "tokenFile"])

/** A file's lists with its paths made absolute. */
function located(file: string, content: unknown): Lists & { readonly current: unknown } {
  const read = content as Readonly<Record<string, unknown>> | null
  const list = (key: string): readonly KubeconfigEntry[] => {
    const entries = read?.[key]
    return Array.isArray(entries) ? (entries as readonly KubeconfigEntry[]) : []
  }
  const absolute = (key: "cluster" | "user", entry: KubeconfigEntry): KubeconfigEntry => {
    const fields = Object.entries((entry[key] ?? {}) as Readonly<Record<string, unknown>>)
    const resolved = fields.map(([name, value]) => [
      name,
      FILES.has(name) && typeof value === "string" ? resolve(dirname(file), value) : value,
    ])
    const found = Object.fromEntries(resolved) as Readonly<Record<string, unknown>>
    return { ...entry, [key]: key === "user" ? authenticated(found, file) : withoutTls(found) }
  }
  return {
    clusters: list("clusters").map((entry) => absolute("cluster", entry)),
    users: list("users").map((entry) => absolute("user", entry)),
    contexts: list("contexts").map(({ name, context }) => ({
      name,
      context: { user: NOBODY, ...(context as object) },
    })),
    current: read?.["current-context"],
  }
}

/** As kubectl does it: the first definition counts. */
function merge(files: readonly (Lists & { readonly current: unknown })[]): unknown {
  const firsts = (key: keyof Lists): readonly KubeconfigEntry[] => [
    ...new Map(files.flatMap((file) => file[key].map((entry) => [entry.name, entry] as const)).toReversed()).values(),
  ]
  return {
    clusters: firsts("clusters"),
    users: [...firsts("users"), { name: NOBODY, user: {} }],
    contexts: firsts("contexts"),
    "current-context": files.map(({ current }) => current).find((current) => Boolean(current)),
  }
}
