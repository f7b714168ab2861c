import { execFile, execFileSync } from "node:child_process"
import { generateKeyPairSync, randomBytes } from "node:crypto"
import { once } from "node:events"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { availableParallelism, tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { Agent, request } from "undici"
import { readNumbers } from "../testing/arguments.ts"
import { type Child, start } from "../testing/child.ts"
import { until } from "../testing/until.ts"
import type { Flood, Flooded } from "./proxy-flood-sender.ts"
import { cpuOf, residentOf } from "./proxy-peers/load.ts"

const flags = readNumbers(
  "dev/bench/proxy-flood",
  "measures a rightful scraper of the proxy alone and beside floods of wrong tokens.",
  { rate: { help: "wrong tokens a second (default 10000)", default: 10_000, least: 1 } },
  { quick: "two rounds instead of nine" },
)
const RATE = flags.rate
const ROUNDS = flags.quick ? 2 : 9
const SECONDS = 3
const ROOT = join(import.meta.dirname, "../..")
const ISSUER = "https://portal.example.org"
const SHARED = '{__name__=~"project_.*_usage",job="project_usages"}'
const SAMPLE = Array.from(
  { length: 200 },
  (_, index) => `project_vcpu_usage{job="project_usages",project_id="${index}"} ${index} 1\n`,
).join("")

const say = (line: string): void => void process.stdout.write(`${line}\n`)
const closers: (() => unknown)[] = []

interface Ground {
  readonly port: number
  readonly pid: number
  readonly token: string
  /** Header and payload of a JWT that its issuer could have signed. */
  readonly unsigned: string
}

interface Round {
  /** Milliseconds of the rightful scraper. */
  readonly p50: number
  readonly p99: number
  readonly perSecond: number
  /** Of the proxy, in parts of a processor. */
  readonly cpu: number
  readonly flooded: Flooded | undefined
}

const CORES = availableParallelism()

async function main(): Promise<void> {
  const ground = await prepare()
  say(
    `${CORES} cores, Node ${process.versions.node}; floods of ${RATE} wrong tokens a second, ${ROUNDS} rounds of ${SECONDS} s each, medians`,
  )
  const { unsigned } = ground
  const floods: readonly (readonly [name: string, flood: Pick<Flood, "prefix" | "fresh"> | undefined])[] = [
    ["alone", undefined],
    ["opaque tokens", { prefix: "", fresh: false }],
    ["forged JWTs", { prefix: `${unsigned}.`, fresh: false }],
    ["new connections", { prefix: "", fresh: true }],
  ]
  const rounds = new Map(floods.map(([name]) => [name, [] as Round[]]))
  await scrape(ground, 1)
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, flood] of round % 2 === 0 ? floods : floods.toReversed()) {
      rounds.get(name)?.push(await measure(ground, flood))
    }
  }
  const [alone, ...others] = [...rounds].map(([name, list]) => ({ name, ...medianOf(list), list }))
  if (alone === undefined) return
  for (const { name, p50, p99, perSecond, cpu, list } of [alone, ...others]) {
    say(
      `${name.padEnd(15)}  p50 ${p50.toFixed(2)} ms  p99 ${p99.toFixed(2)} ms  ${perSecond.toFixed(0).padStart(5)} scrapes/s  proxy ${(cpu * 100).toFixed(0).padStart(3)} % CPU${showAnswers(list)}`,
    )
  }
  say(`memory afterwards: ${residentOf(ground.pid).toFixed(0)} MiB`)
  const ratio = (of: (result: Omit<Round, "flooded">) => number): string =>
    others.map((other) => `${other.name} ${(of(other) / of(alone)).toFixed(2)}`).join(", ")
  say(`p50 beside a flood to alone: ${ratio(({ p50 }) => p50)}`)
  say(`p99 beside a flood to alone: ${ratio(({ p99 }) => p99)} (promised at most 1.5)`)
}

/** A proxy with one token and one issuer, before a stand-in for Prometheus. */
async function prepare(): Promise<Ground> {
  const folder = await mkdtemp(join(tmpdir(), "fedstack-bench-"))
  closers.unshift(() => rm(folder, { recursive: true, force: true }))
  const upstream = createServer((_, response) => {
    response.writeHead(200, { "content-type": "text/plain; version=0.0.4; charset=utf-8" }).end(SAMPLE)
  }).listen(0, "127.0.0.1")
  await once(upstream, "listening")
  closers.unshift(() => (upstream.closeAllConnections(), upstream.close()))
  const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" })
  await writeFile(
    join(folder, "jwks.json"),
    JSON.stringify({ keys: [{ ...publicKey.export({ format: "jwk" }), kid: "a" }] }),
  )
  await writeFile(
    join(folder, "policy.yaml"),
    `upstreams: ["http://127.0.0.1:${(upstream.address() as AddressInfo).port}"]
reuse: 1s
limits: {requests_per_second: 100000}
tokens: [{name: portal, env: BENCH_TOKEN, match: ['${SHARED}']}]
jwt: [{issuer: "${ISSUER}", audience: site-a, jwks: {file: jwks.json}, match: ['${SHARED}']}]
`,
  )
  const token = randomBytes(16).toString("hex")
  const local = "127.0.0.1:0"
  const proxy = start(
    join(ROOT, "bin/fedstack"),
    ["proxy", "--policy", join(folder, "policy.yaml"), "--web.listen-address", local, "--admin.listen-address", local],
    { BENCH_TOKEN: token },
  )
  closers.unshift(() => proxy.stop())
  const port = Number(
    await until("the proxy to listen", () => [...proxy.output().matchAll(/127\.0\.0\.1:(\d+)/g)][1]?.[1]),
  )
  pin(proxy)
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url")
  const claims = { iss: ISSUER, aud: "site-a", sub: "portal", exp: Math.floor(Date.now() / 1000) + 3600 }
  return {
    port,
    pid: proxy.process.pid ?? 0,
    token,
    unsigned: `${part({ alg: "ES256", kid: "a", typ: "JWT" })}.${part(claims)}`,
  }
}

/** The proxy on one processor, what asks it on the others: as if they were machines of their own. */
function pin(proxy: Child): void {
  if (CORES < 2) return
  execFileSync("taskset", ["-a", "-p", "-c", "0", String(proxy.process.pid)])
  execFileSync("taskset", ["-a", "-p", "-c", `1-${CORES - 1}`, String(process.pid)])
}

async function measure(ground: Ground, flood: Pick<Flood, "prefix" | "fresh"> | undefined): Promise<Round> {
  const flooding = flood && send({ ...flood, port: ground.port, rate: RATE, seconds: SECONDS + 1 })
  await new Promise((resolve) => setTimeout(resolve, 500)) // the flood is under way
  const before = cpuOf(ground.pid)
  const times = await scrape(ground, SECONDS)
  const cpu = (cpuOf(ground.pid) - before) / SECONDS
  const flooded = await flooding
  const sorted = times.toSorted((a, b) => a - b)
  const at = (part: number): number => sorted[Math.floor(sorted.length * part)] ?? Number.NaN
  if (flooded !== undefined) checkRefused(flooded)
  return { p50: at(0.5), p99: at(0.99), perSecond: times.length / SECONDS, cpu, flooded }
}

async function send(flood: Flood): Promise<Flooded> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    join(import.meta.dirname, "proxy-flood-sender.ts"),
    JSON.stringify(flood),
  ])
  return JSON.parse(stdout) as Flooded
}

function checkRefused({ responses, lost }: Flooded): void {
  const wrong = Object.keys(responses).filter((status) => status !== "401" && status !== "429")
  if (wrong.length > 0) throw new Error(`wrong tokens got ${wrong.join(" and ")}`)
  if (lost > 0) throw new Error(`${lost} requests with wrong tokens got no response`)
}

/** Milliseconds of each scrape, one after the other over one connection; each must bring what is shared. */
async function scrape({ port, token }: Ground, seconds: number): Promise<readonly number[]> {
  const dispatcher = new Agent({ connections: 1, pipelining: 1 })
  const url = `http://127.0.0.1:${port}/federate?match%5B%5D=${encodeURIComponent(SHARED)}`
  const headers = { authorization: `Bearer ${token}` }
  const times: number[] = []
  const end = performance.now() + seconds * 1000
  while (performance.now() < end) {
    const begin = performance.now()
    const { body, statusCode } = await request(url, { dispatcher, headers })
    const text = await body.text()
    times.push(performance.now() - begin)
    if (statusCode !== 200 || text !== SAMPLE) throw new Error(`a rightful scrape got ${statusCode}: ${text}`)
  }
  await dispatcher.close()
  return times
}

function medianOf(rounds: readonly Round[]): Omit<Round, "flooded"> {
  const median = (key: "p50" | "p99" | "perSecond" | "cpu"): number =>
    rounds.map((round) => round[key]).toSorted((a, b) => a - b)[rounds.length >> 1] ?? Number.NaN
  return { p50: median("p50"), p99: median("p99"), perSecond: median("perSecond"), cpu: median("cpu") }
}

function showAnswers(rounds: readonly Round[]): string {
  const flooded = rounds.flatMap((round) => round.flooded ?? [])
  if (flooded.length === 0) return ""
  const sums: Record<string, number> = {}
  for (const { responses } of flooded) {
    for (const [status, count] of Object.entries(responses)) sums[status] = (sums[status] ?? 0) + count
  }
  const rate = flooded.reduce((sum, one) => sum + one.rate, 0) / flooded.length
  const shown = Object.entries(sums).map(([status, count]) => `${count} × ${status}`)
  return `  ${rate.toFixed(0)} refused/s: ${shown.join(", ")}`
}

try {
  await main()
} finally {
  for (const close of closers) await close()
}
