import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Agent, request } from "undici"
import { parse } from "yaml"
import { type Child, start } from "../../testing/child.ts"
import { until } from "../../testing/until.ts"

const folder = mkdtempSync(join(tmpdir(), "fedstack-bench-"))
process.once("exit", () => rmSync(folder, { recursive: true, force: true }))
const root = join(import.meta.dirname, "../../..")
const dispatcher = new Agent({ bodyTimeout: 300_000, headersTimeout: 300_000 })
const peer = (name: string): string => join(import.meta.dirname, `${name}.ts`)

export interface Started {
  readonly pid: number
  readonly url: string
  /** Milliseconds from its start until it was ready. */
  readonly ready: number
  readonly stop: () => Promise<unknown>
}

async function startServer(
  command: string,
  args: readonly string[],
  port: RegExp,
): Promise<Started & { child: Child }> {
  const begin = performance.now()
  const child = start(command, args)
  const found = await until(
    `${args.join(" ")} to listen`,
    () => {
      if (child.process.exitCode !== null) throw new Error(child.output())
      return port.exec(child.output())?.[1]
    },
    300,
  )
  const ready = performance.now() - begin
  return { child, pid: child.process.pid ?? 0, url: `http://127.0.0.1:${found}`, ready, stop: () => child.stop() }
}

/** `bare.ts`, once it has listed everything. */
export function startBare(kubeconfig: string, ...mode: readonly "watch"[]): Promise<Started> {
  return startServer(process.execPath, [peer("bare"), kubeconfig, ...mode], /port (\d+)/)
}

/** The exporter as it is run, once it is ready. */
export async function startExporter(kubeconfig: string, ...args: readonly string[]): Promise<Started> {
  const begin = performance.now()
  const started = await startServer(
    join(root, "bin/fedstack"),
    ["exporter", "gateway-api", "--kubeconfig", kubeconfig, "--web.listen-address=127.0.0.1:0", ...args],
    /msg=listening addresses=\S*?127\.0\.0\.1:(\d+)/,
  )
  await until(
    "the exporter to be ready",
    async () => {
      const { statusCode, body } = await request(`${started.url}/-/ready`)
      await body.dump()
      return statusCode === 200 ? true : undefined
    },
    300,
  )
  return { ...started, ready: performance.now() - begin }
}

/** `stand-in.ts` with so many routes, and a kubeconfig for it. */
export async function startStandIn(routes: number): Promise<Started & { readonly kubeconfig: string }> {
  const started = await startServer(process.execPath, [peer("stand-in"), String(routes)], /port (\d+)/)
  return { ...started, kubeconfig: writeKubeconfig("stand-in", started.url) }
}

function writeKubeconfig(name: string, server: string): string {
  const file = join(folder, `${name}-${new URL(server).port}`)
  const config = {
    "current-context": "bench",
    contexts: [{ name: "bench", context: { cluster: "bench", user: "bench" } }],
    clusters: [{ name: "bench", cluster: { server } }],
    users: [{ name: "bench", user: { token: "bench" } }],
  }
  writeFileSync(file, JSON.stringify(config), { mode: 0o600 })
  return file
}

/** The same kubeconfig for another port in front of its server. */
export function throughGate(kubeconfig: string, gate: string): { readonly file: string } {
  const text = readFileSync(kubeconfig, "utf8").replaceAll(serverOf(kubeconfig), gate)
  const file = join(folder, `gate-${new URL(gate).port}`)
  writeFileSync(file, text, { mode: 0o600 })
  return { file }
}

export function serverOf(kubeconfig: string): string {
  const { clusters } = parse(readFileSync(kubeconfig, "utf8")) as {
    readonly clusters: readonly { readonly cluster: { readonly server: string } }[]
  }
  return clusters[0]?.cluster.server ?? ""
}

export async function read(url: string): Promise<string> {
  const { body } = await request(url, { dispatcher })
  return body.text()
}

/** Milliseconds and bytes of a scrape whose response is dropped as it comes. */
export async function scrape(url: string, encoding: "gzip" | "identity") {
  const begin = performance.now()
  let bytes = 0
  const { body } = await request(`${url}/metrics`, { dispatcher, headers: { "accept-encoding": encoding } })
  for await (const chunk of body as AsyncIterable<Buffer>) bytes += chunk.length
  return { milliseconds: performance.now() - begin, bytes }
}

/** The exposition without what the process says of itself. */
export async function objectsOf(url: string): Promise<string> {
  const lines = (await read(`${url}/metrics`)).split(/(?<=\n)/)
  return lines.filter((line) => /^(?:# \w+ )?gatewayapi_/.test(line)).join("")
}

/** `--families` with those of gateway-api-state-metrics. */
export function familiesOfPredecessor(): string {
  const file = join(root, "site/exporter/collectors/gateway-api/testdata/families-of-predecessor.yaml")
  const { resources } = parse(readFileSync(file, "utf8")) as {
    readonly resources: readonly { readonly families: readonly { readonly family: string }[] }[]
  }
  return `--families=${resources.flatMap(({ families }) => families.map(({ family }) => family)).join()}`
}
