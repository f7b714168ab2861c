import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import { once } from "node:events"
import { openSync, readFileSync } from "node:fs"
import { readFile, writeFile } from "node:fs/promises"
import { userInfo } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { request } from "undici"
import { until } from "../../testing/until.ts"
import type { Ground } from "./ground.ts"
import { freePort } from "../../testing/free-port.ts"

/** One way to Prometheus. */
export interface Way {
  readonly name: string
  readonly url: string
  /** Processes whose memory it takes. */
  readonly pid: number
}

/** As the original's portal sends it; HAProxy and nginx compare these bytes. */
export const QUERY = "match%5B%5D=%7Bjob%3D%22project_usages%22%2C__name__%3D~%22project_.%2A_usage%22%7D"
/** Node's own HTTP server with a body that is ready. */
export const BARE = "bare Node"
export const REUSED = "fedstack, reuse 1s"
const FEDSTACK = fileURLToPath(new URL("../../../bin/fedstack", import.meta.url))

export async function startWays(ground: Ground): Promise<readonly Way[]> {
  const reused = await startFedstack(ground, "1s")
  return [
    { name: "nothing", url: ground.url, pid: ground.pid },
    await startHaproxy(ground),
    await startNginx(ground),
    await startBare(ground, reused),
    reused,
    await startFedstack(ground, "0s"),
  ]
}

export async function startHaproxy(ground: Ground): Promise<Way> {
  const port = await freePort()
  const file = await fill("haproxy.cfg", ground, { port })
  const { pid = 0 } = run(ground, "haproxy", ["-db", "-f", file], { PORTAL_AUTH_TOKEN: ground.token })
  const url = `http://127.0.0.1:${port}`
  await until("haproxy to respond", async () => ((await fetch(url)).status === 403 ? true : undefined), 10)
  return { name: "haproxy", url, pid }
}

async function startNginx(ground: Ground): Promise<Way> {
  const port = await freePort()
  const file = await fill("nginx.conf", ground, { port })
  const { pid = 0 } = run(ground, "nginx", ["-c", file, "-e", join(ground.folder, "nginx.error.log")])
  const url = `http://127.0.0.1:${port}`
  await until("nginx to respond", async () => ((await fetch(url)).status === 401 ? true : undefined), 10)
  return { name: "nginx, cache 1s", url, pid }
}

/** Gives what fedstack gave when it started; throws where its bytes or headers are others. */
async function startBare(ground: Ground, fedstack: Way): Promise<Way> {
  const given = await scrape(fedstack.url, ground.token)
  const file = join(ground.folder, "body")
  await writeFile(file, given.body)
  const script = fileURLToPath(new URL("bare.ts", import.meta.url))
  const log = join(ground.folder, "bare.log")
  const child = run(
    ground,
    process.execPath,
    [...nodeFlags(fedstack.pid), script, file, JSON.stringify(given.headers)],
    {},
    log,
  )
  const url = await shown(BARE, child, log, (text) => /http:\S+/.exec(text)?.[0])
  const own = await scrape(url, ground.token)
  if (!own.body.equals(given.body) || own.headers.join("\n") !== given.headers.join("\n")) {
    throw new Error("bare Node does not give what fedstack gives")
  }
  return { name: BARE, url, pid: child.pid ?? 0 }
}

/** With which Node was started. */
function nodeFlags(pid: number): readonly string[] {
  const [, ...words] = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0")
  return words.slice(
    0,
    words.findIndex((word) => !word.startsWith("--")),
  )
}

/** Body and headers as sent, without those that the HTTP server adds by itself. */
export async function scrape(url: string, token: string) {
  const headers = { authorization: `Bearer ${token}`, "accept-encoding": "gzip" }
  const { statusCode, body, headers: received } = await request(`${url}/federate?${QUERY}`, { headers })
  const added = ["date", "connection", "keep-alive"]
  return {
    statusCode,
    body: Buffer.from(await body.arrayBuffer()),
    headers: Object.entries(received).flatMap(([name, value]) => (added.includes(name) ? [] : [name, String(value)])),
  }
}

export async function startFedstack(ground: Ground, reuse: string): Promise<Way> {
  const name = `fedstack, reuse ${reuse}`
  const policy = join(ground.folder, `policy-${reuse}.yaml`)
  await writeFile(
    policy,
    `upstreams: ["${ground.url}"]
reuse: ${reuse}
limits: {requests_per_second: 100000, concurrent: 1000}
tokens:
  - name: portal
    env: BENCH_TOKEN
    match: ['{job="project_usages",__name__=~"project_.*_usage"}']
`,
  )
  const log = join(ground.folder, `fedstack-${reuse}.log`)
  const local = "127.0.0.1:0"
  const child = run(
    ground,
    FEDSTACK,
    ["proxy", "--policy", policy, "--web.listen-address", local, "--admin.listen-address", local],
    { BENCH_TOKEN: ground.token },
    log,
  )
  const port = await shown(name, child, log, (text) => [...text.matchAll(/127\.0\.0\.1:(\d+)/g)][1]?.[1])
  return { name, url: `http://127.0.0.1:${port}`, pid: child.pid ?? 0 }
}

/** Its output goes to a file, as it would where it is deployed. */
function run(
  { folder, closers }: Ground,
  command: string,
  args: readonly string[],
  env: Record<string, string> = {},
  log = join(folder, `${command}.log`),
): ChildProcess {
  const output = openSync(log, "a")
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ["ignore", output, output] })
  closers.unshift(async () => {
    if (ended(child)) return
    child.kill("SIGTERM")
    await once(child, "exit")
  })
  if (child.pid === undefined) throw new Error(`${command} does not start`)
  return child
}

/** What `find` finds in the output, as soon as it is there; throws with all the output where the process ends before. */
async function shown(
  name: string,
  child: ChildProcess,
  log: string,
  find: (text: string) => string | undefined,
): Promise<string> {
  const found = await until(
    `${name} to listen`,
    () => find(readFileSync(log, "utf8")) ?? (ended(child) ? null : undefined),
  )
  if (found !== null) return found
  throw new Error(`${name} ended with ${child.exitCode ?? child.signalCode}: ${readFileSync(log, "utf8")}`)
}

function ended({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null
}

async function fill(template: string, ground: Ground, { port }: { readonly port: number }): Promise<string> {
  const values: Readonly<Record<string, string>> = {
    folder: ground.folder,
    upstream: new URL(ground.url).host,
    token: ground.token,
    query: QUERY,
    port: String(port),
    user: userInfo().username,
    group: execFileSync("id", ["-gn"], { encoding: "utf8" }).trim(),
  }
  const text = await readFile(new URL(template, import.meta.url), "utf8")
  const file = join(ground.folder, template)
  await writeFile(
    file,
    text.replaceAll(/(?<!\$)\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole),
  )
  return file
}
