import { execFile } from "node:child_process"
import type { RequestOptions as HttpsOptions } from "node:https"

/** https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins */
export interface ExecPlugin {
  readonly apiVersion?: string
  readonly command?: string
  readonly args?: readonly string[] | null
  readonly env?: readonly { readonly name: string; readonly value: string }[] | null
  readonly interactiveMode?: string
  /** How to install it, as the kubeconfig says. */
  readonly installHint?: string
}

interface ExecCredential {
  readonly status?: {
    readonly token?: string
    readonly clientCertificateData?: string
    readonly clientKeyData?: string
  }
}

/** Milliseconds: a plugin signs in somewhere, but there is no user to enter a password. */
const DEADLINE = 30_000
/** Bytes. */
const LIMIT = 1_048_576

/** The plugin gave no credentials. The message repeats nothing of what it wrote, which may be a secret. */
export class PluginFailure extends Error {}

/** Runs the plugin and adds the credentials that it prints. Throws PluginFailure. */
export async function applyPlugin(
  plugin: ExecPlugin,
  env: Readonly<Record<string, string | undefined>>,
  options: Pick<HttpsOptions, "cert" | "key"> & { headers?: Record<string, string> },
): Promise<void> {
  const { token, clientCertificateData: cert, clientKeyData: key } = statusIn(plugin, await run(plugin, env))
  if (token === undefined && (cert === undefined || key === undefined))
    throw failure(plugin, "printed neither a token nor a certificate with its key")
  if (cert !== undefined && key !== undefined) Object.assign(options, { cert, key })
  if (token !== undefined) options.headers = { ...options.headers, Authorization: `Bearer ${token}` }
}

function run(plugin: ExecPlugin, env: Readonly<Record<string, string | undefined>>): Promise<string> {
  const { apiVersion, command, args, env: added, interactiveMode } = plugin
  if (command === undefined || command === "") throw failure(plugin, "has no command")
  if (interactiveMode === "Always")
    throw failure(
      plugin,
      "asks for something (interactiveMode: Always), and there is no terminal: use another way to sign in",
    )
  const info = { apiVersion, kind: "ExecCredential", spec: { interactive: false } }
  const variables = Object.fromEntries((added ?? []).map(({ name, value }) => [name, value]))
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const child = execFile(
    command,
    [...(args ?? [])],
    {
      env: { ...env, KUBERNETES_EXEC_INFO: JSON.stringify(info), ...variables },
      timeout: DEADLINE,
      killSignal: "SIGKILL",
      maxBuffer: LIMIT,
    },
    (error, stdout) => (error === null ? resolve(stdout) : reject(failure(plugin, reasonOf(error, plugin)))),
  )
  child.stdin?.end()
  return promise
}

function reasonOf(error: Error & { code?: unknown; killed?: boolean }, { installHint }: ExecPlugin): string {
  if (error.code === "ENOENT")
    return `is not installed: put its folder in PATH${installHint === undefined ? "" : `. Its kubeconfig says: ${installHint.trim()}`}`
  if (error.code === "EACCES") return "may not be executed: see the rights of its file"
  if (error.code === "ERR_CHILD_PROCESS_STDIO_MAXBUFFER") return `printed more than ${LIMIT} bytes`
  if (error.killed === true)
    return `did not end within ${DEADLINE / 1000} s: run it in a shell, it may wait for an input`
  return `ended with ${typeof error.code === "number" ? `exit code ${error.code}` : "a failure"}: run it in a shell to see why, and sign in again`
}

function statusIn(plugin: ExecPlugin, text: string): NonNullable<ExecCredential["status"]> {
  try {
    const { status } = JSON.parse(text) as ExecCredential
    if (typeof status === "object" && status !== null) return status
  } catch {
    // the parser's message would repeat what it printed
  }
  throw failure(plugin, "did not print an ExecCredential with a status")
}

const failure = ({ command = "" }: ExecPlugin, reason: string): PluginFailure =>
  new PluginFailure(`the exec plugin ${command} ${reason}`)
