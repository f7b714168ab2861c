import { execFileSync } from "node:child_process"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { type Child, start } from "../../testing/child.ts"
import { freePorts } from "../../testing/free-port.ts"
import { until } from "../../testing/until.ts"
import type { Version } from "./tally.ts"

/** A proxy before the upstream. */
export interface Way {
  readonly name: string
  readonly url: URL
  /** That does the work. */
  readonly pid: number
  readonly versions: readonly Version[]
  /** Whether requests are split by tenant. */
  readonly splits: boolean
}

export interface Ground {
  readonly folder: string
  /** Of the upstream. */
  readonly url: string
  readonly closers: (() => unknown)[]
}

export const OURS = "fedstack"
export const NAIVE = "naive"
export const PEER = "cortex-tenant"

const FEDSTACK = join(import.meta.dirname, "../../../bin/fedstack")
/** Names the program that `go build` of github.com/blind-oracle/cortex-tenant makes. */
export const PEER_VARIABLE = "CORTEX_TENANT"

/** Those that are installed, and why others are left out. */
export async function startWays(ground: Ground): Promise<{ readonly ways: Way[]; readonly missing: string[] }> {
  const missing: string[] = []
  const ways = [await startFedstack(ground, 1), await startNaive(ground)]
  const peer = process.env[PEER_VARIABLE]
  if (peer === undefined) missing.push(`${PEER}: needs Go; name what go build makes of it in ${PEER_VARIABLE}`)
  else ways.push(await startPeer(ground, peer))
  if (isInstalled("nginx")) ways.push(await startNginx(ground))
  else missing.push("passing on: apt-get install nginx-light")
  return { ways, missing }
}

export async function startFedstack(ground: Ground, workers: number): Promise<Way> {
  const local = "127.0.0.1:0"
  const child = run(ground, FEDSTACK, [
    ...["tenancy-proxy", "--ingester-upstream-url", ground.url, "--default-tenant-list", "", "--strip-tenant-label"],
    ...["--web.listen-address", local, "--admin.listen-address", local, "--workers", String(workers)],
  ])
  const port = await shown(OURS, child, (text) => [...text.matchAll(/127\.0\.0\.1:(\d+)/g)][1]?.[1])
  const name = workers === 1 ? OURS : `${OURS}, ${workers} workers`
  return wayOf(name, child, `http://127.0.0.1:${port}/api/v1/push`)
}

async function startNaive(ground: Ground): Promise<Way> {
  const child = run(ground, process.execPath, [join(import.meta.dirname, "naive.ts"), ground.url])
  const url = await shown(NAIVE, child, (text) => /http:\S+/.exec(text)?.[0])
  return wayOf(NAIVE, child, `${url}/api/v1/push`)
}

async function startPeer(ground: Ground, program: string): Promise<Way> {
  const [port = 0, metrics = 0] = await freePorts(2)
  const file = join(ground.folder, "cortex-tenant.yml")
  writeFileSync(
    file,
    `listen: 127.0.0.1:${port}
listen_metrics_address: 127.0.0.1:${metrics}
target: ${ground.url}
log_level: warn
timeout: 30s
concurrency: 1000
tenant: {label: tenant_id, label_remove: true, header: X-Scope-OrgID}
`,
  )
  const child = run(ground, program, ["-config", file])
  const url = `http://127.0.0.1:${port}/push`
  await until(`${PEER} to listen`, async () => (await fetch(`http://127.0.0.1:${port}/alive`)).ok)
  return { ...wayOf(PEER, child, url), versions: [1] }
}

async function startNginx(ground: Ground): Promise<Way> {
  const [port = 0] = await freePorts(1)
  const values: Readonly<Record<string, string>> = {
    folder: ground.folder,
    upstream: new URL(ground.url).host,
    port: String(port),
  }
  const file = join(ground.folder, "nginx.conf")
  const template = readFileSync(new URL("nginx.conf", import.meta.url), "utf8")
  writeFileSync(
    file,
    template.replaceAll(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole),
  )
  const child = run(ground, "nginx", ["-c", file, "-e", join(ground.folder, "nginx.error.log")])
  const { pid = 0 } = child.process
  const worker = await until("nginx's worker", () => {
    const [first] = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ")
    return first === undefined || first === "" ? undefined : Number(first)
  })
  const url = new URL(`http://127.0.0.1:${port}/api/v1/push`)
  return { ...wayOf("nginx, passing on", child, url.href), pid: worker, splits: false }
}

const wayOf = (name: string, { process: { pid = 0 } }: Child, url: string): Way => ({
  ...{ name, pid, url: new URL(url), versions: [1, 2], splits: true },
})

function run({ closers }: Ground, command: string, args: readonly string[]): Child {
  const child = start(command, args)
  closers.unshift(() => child.stop())
  return child
}

/** What `find` finds in the output, as soon as it is there; throws with all the output where the process ends before. */
async function shown(name: string, child: Child, find: (text: string) => string | undefined): Promise<string> {
  const ended = ({ exitCode, signalCode }: Child["process"]): boolean => exitCode !== null || signalCode !== null
  const found = await until(
    `${name} to listen`,
    () => find(child.output()) ?? (ended(child.process) ? null : undefined),
  )
  if (found !== null) return found
  throw new Error(`${name} ended: ${child.output()}`)
}

function isInstalled(command: string): boolean {
  try {
    execFileSync("sh", ["-c", `command -v ${command}`], { stdio: "ignore" })
    return true
  } catch {
    return false
  }
}
