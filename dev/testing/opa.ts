import { accessSync, constants } from "node:fs"
import { delimiter, join } from "node:path"
import { Agent, request } from "undici"
import { type Child, start } from "./child.ts"
import type { Found } from "./component.ts"
import { until } from "./until.ts"
import { freePort } from "./free-port.ts"

/** The folder that holds opa: FEDSTACK_OPA or PATH. */
export function findOpa(): Found<string> {
  const folders = [process.env.FEDSTACK_OPA, ...(process.env.PATH ?? "").split(delimiter)]
  const folder = folders.find((candidate) => candidate !== undefined && candidate !== "" && holdsOpa(candidate))
  return folder === undefined ? { missing: "no folder with opa: set FEDSTACK_OPA or PATH" } : { value: folder }
}

function holdsOpa(folder: string): boolean {
  try {
    accessSync(join(folder, "opa"), constants.X_OK)
    return true
  } catch {
    return false
  }
}

export interface OpaOptions {
  /** Of `opa run --server`, beside the address: policies to load, TLS, authorization. */
  readonly flags?: readonly string[]
  /** The token that clients need, where its policy asks for one. */
  readonly token?: string
  /** Where its flags make it speak TLS: the certificate that vouches for its own. */
  readonly tls?: { readonly ca: string; readonly serverName: string }
}

export interface RunningOpa {
  readonly url: string
  readonly port: number
  readonly child: Child
  /** Replaces what stands at a path of data such as `kubernetes/services`, as kube-mgmt does when it begins. */
  put(path: string, value: unknown): Promise<void>
  /** Changes one place below a path, as kube-mgmt does for every event of a watch. */
  patch(path: string, operation: "add" | "remove" | "replace", at: string, value?: unknown): Promise<void>
  /** Any request, with the token. */
  ask(method: "GET" | "PUT" | "POST" | "PATCH", path: string, body?: string): Promise<{ status: number; text: string }>
  stop(): Promise<void>
}

/** Starts a real OPA on a free port of loopback. */
export async function startOpa(folder: string, options: OpaOptions = {}): Promise<RunningOpa> {
  const { flags = [], token, tls } = options
  const agent = new Agent({
    connect: { allowH2: false, ...(tls && { ca: tls.ca, servername: tls.serverName }) },
    keepAliveTimeout: 10,
  })
  const { child, port } = await launch(folder, flags)
  const url = `${tls ? "https" : "http"}://127.0.0.1:${port}`
  const ask: RunningOpa["ask"] = async (method, path, body) => {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
    const response = await request(url + path, { method, headers, dispatcher: agent, body: body ?? null })
    return { status: response.statusCode, text: await response.body.text() }
  }
  const write = async (method: "PUT" | "PATCH", path: string, value: unknown): Promise<void> => {
    const { status, text } = await ask(method, `/v1/data/${path}`, JSON.stringify(value))
    if (status >= 300) throw new Error(`${method} ${path}: OPA responded ${status} ${text}`)
  }
  await until("OPA to serve", async () => {
    if (child.process.exitCode !== null) throw new Error(`OPA ended: ${child.output()}`)
    return (await ask("GET", "/health")).status === 200 ? true : undefined
  })
  return {
    url,
    port,
    child,
    ask,
    put: (path, value) => write("PUT", path, value),
    patch: (path, op, at, value) => write("PATCH", path, [{ op, path: at, ...(value === undefined ? {} : { value }) }]),
    async stop() {
      await child.stop("SIGKILL")
      if (!agent.destroyed) await agent.destroy()
    },
  }
}

/** OPA does not report its port, so it gets a free one; another if a third process was faster. */
async function launch(folder: string, flags: readonly string[]): Promise<{ child: Child; port: number }> {
  for (let left = 5; ; left -= 1) {
    const port = await freePort()
    const child = start(join(folder, "opa"), [
      "run",
      "--server",
      `--addr=127.0.0.1:${port}`,
      "--log-level=info",
      "--skip-version-check",
      ...flags,
    ])
    const begun = await until("OPA to start", () =>
      child.process.exitCode !== null || child.output().includes("Initializing server") ? child.output() : undefined,
    )
    const inUse = begun.includes("address already in use")
    if (!inUse || left === 0) return { child, port }
    await child.stop()
  }
}
