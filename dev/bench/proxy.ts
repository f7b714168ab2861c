import { execFileSync } from "node:child_process"
import { randomBytes } from "node:crypto"
import { once } from "node:events"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { createServer as createHttpServer } from "node:http"
import { type AddressInfo, createServer } from "node:net"
import { availableParallelism, tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { gunzipSync } from "node:zlib"
import { Agent, request } from "undici"
import { start } from "../testing/child.ts"
import { findPrometheus, startPrometheus } from "../testing/prometheus.ts"
import { until } from "../testing/until.ts"

const PROJECTS = 5000
const WARM_UP = 20
const SCRAPES = 200
const LONGEST_MS = 120_000
/** As the original's portal sends it; HAProxy compares these bytes. */
const QUERY = "match%5B%5D=%7Bjob%3D%22project_usages%22%2C__name__%3D~%22project_.%2A_usage%22%7D"
const FEDSTACK = fileURLToPath(new URL("../../bin/fedstack", import.meta.url))

const closers: (() => unknown)[] = []
const say = (line: string): void => void process.stdout.write(`${line}\n`)

async function main(): Promise<void> {
  const found = findPrometheus()
  if ("missing" in found) throw new Error(found.missing)
  const folder = await mkdtemp(join(tmpdir(), "fedstack-bench-"))
  closers.unshift(() => rm(folder, { recursive: true, force: true }))
  const token = randomBytes(16).toString("hex")

  const target = await serveSeries()
  const config = join(folder, "prometheus.yml")
  await writeFile(config, configuration(target))
  const prometheus = await startPrometheus(found.value, config)
  closers.unshift(() => prometheus.stop())
  await until("10,000 series", async () =>
    (await prometheus.query('count({__name__=~"project_.*_usage"})'))[0]?.value[1] === String(2 * PROJECTS)
      ? true
      : undefined,
  )

  const ways = [
    { name: "haproxy", url: await startHaproxy(folder, prometheus.url, token) },
    { name: "fedstack", url: await startFedstack(prometheus.url, token) },
  ] as const
  const agent = new Agent({ connections: 1 })
  closers.unshift(() => agent.close())
  const scrape = async (url: string): Promise<{ readonly body: Buffer; readonly ms: number }> => {
    const begin = performance.now()
    const answer = await request(`${url}/federate?${QUERY}`, {
      dispatcher: agent,
      headers: { authorization: `Bearer ${token}`, "accept-encoding": "gzip" },
    })
    const body = Buffer.from(await answer.body.arrayBuffer())
    if (answer.statusCode !== 200) throw new Error(`${url} answered ${answer.statusCode}`)
    return { body, ms: performance.now() - begin }
  }

  say(versions(found.value))
  const answers = await Promise.all(ways.map(async ({ url }) => seriesOf((await scrape(url)).body)))
  if (answers[0]?.length !== 2 * PROJECTS || answers[0].join("\n") !== answers[1]?.join("\n")) {
    throw new Error("the two ways do not give the same 10,000 series")
  }
  say(`both give the same ${answers[0].length} series`)

  const times: Record<string, number[]> = { haproxy: [], fedstack: [] }
  const end = performance.now() + LONGEST_MS
  for (let round = 0; round < WARM_UP + SCRAPES && performance.now() < end; round++) {
    // who comes first changes every round
    for (const { name, url } of round % 2 === 0 ? ways : ways.toReversed()) {
      const { ms } = await scrape(url)
      if (round >= WARM_UP) times[name]?.push(ms)
    }
  }
  for (const { name } of ways) {
    const sorted = (times[name] ?? []).toSorted((a, b) => a - b)
    say(
      `${name.padEnd(8)}  scrapes ${sorted.length}  p50 ${quantile(sorted, 0.5).toFixed(2)} ms  p99 ${quantile(sorted, 0.99).toFixed(2)} ms`,
    )
  }
  const [haproxy = 0, fedstack = 0] = ways.map(({ name }) =>
    quantile(
      (times[name] ?? []).toSorted((a, b) => a - b),
      0.5,
    ),
  )
  say(`ratio of medians, fedstack to haproxy: ${(fedstack / haproxy).toFixed(3)}`)
}

async function serveSeries(): Promise<number> {
  const lines = Array.from({ length: PROJECTS }, (_, index) => {
    const labels = `{project_id="${(index * 7919).toString(16).padStart(32, "0")}",project_name="project ${index}",domain_name="default"}`
    return [`project_vcpu_usage${labels} ${index * 1.5}`, `project_mb_usage${labels} ${index * 1024}`] as const
  })
  const body = [0, 1].flatMap((family) => lines.map((pair) => pair[family])).join("\n")
  const server = createHttpServer((_, response) => {
    response.setHeader("content-type", "text/plain; version=0.0.4; charset=utf-8").end(`${body}\n`)
  }).listen(0, "127.0.0.1")
  await once(server, "listening")
  closers.unshift(() => (server.closeAllConnections(), server.close()))
  return (server.address() as AddressInfo).port
}

/** A scrape now and then keeps the series alive and hardly disturbs the measurement. */
function configuration(port: number): string {
  return `global: {scrape_interval: 20s}
scrape_configs:
  - job_name: project_usages
    static_configs: [{targets: ["127.0.0.1:${port}"]}]
`
}

/** The original's rules: the token's header and the encoded query are compared as they are; nothing else is looked at. */
async function startHaproxy(folder: string, upstream: string, token: string): Promise<string> {
  const port = await freePort()
  const file = join(folder, "haproxy.cfg")
  await writeFile(
    file,
    `defaults
  mode http
  timeout connect 5s
  timeout client 50s
  timeout server 50s
frontend federation
  bind 127.0.0.1:${port}
  acl token req.fhdr(Authorization) "Bearer \${PORTAL_AUTH_TOKEN}"
  http-request deny if ! token
  acl query urlp(match%5B%5D) %7Bjob%3D%22project_usages%22%2C__name__%3D~%22project_.%2A_usage%22%7D
  http-request deny if ! query
  default_backend prometheus
backend prometheus
  server prometheus ${new URL(upstream).host}
`,
  )
  const child = start("haproxy", ["-db", "-f", file], { PORTAL_AUTH_TOKEN: token })
  closers.unshift(() => child.stop())
  const url = `http://127.0.0.1:${port}`
  await until("haproxy to answer", async () => ((await fetch(url)).status === 403 ? true : undefined), 10)
  return url
}

async function startFedstack(upstream: string, token: string): Promise<string> {
  const local = "127.0.0.1:0"
  const child = start(
    FEDSTACK,
    ["proxy", "--upstream", upstream, "--web.listen-address", local, "--admin.listen-address", local],
    { PORTAL_AUTH_TOKEN: token },
  )
  closers.unshift(() => child.stop())
  const port = await until("fedstack to listen", () => [...child.output().matchAll(/127\.0\.0\.1:(\d+)/g)][1]?.[1])
  return `http://127.0.0.1:${port}`
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, "close")
  return port
}

function versions(folder: string): string {
  const first = (command: string, flag: string) => execFileSync(command, [flag], { encoding: "utf8" }).split("\n")[0]
  return [
    `${availableParallelism()} cores, Node ${process.versions.node}`,
    first(join(folder, "prometheus"), "--version"),
    first("haproxy", "-v"),
  ].join("\n")
}

function seriesOf(body: Buffer): readonly string[] {
  const lines = gunzipSync(body).toString("utf8").split("\n")
  return lines
    .filter((line) => line.startsWith("project_"))
    .map((line) => line.replace(/ \S+ \d+$/, ""))
    .toSorted()
}

function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN
}

try {
  await main()
} finally {
  for (const close of closers) await close()
}
