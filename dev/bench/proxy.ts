import { execFileSync } from "node:child_process"
import { availableParallelism } from "node:os"
import { join } from "node:path"
import { setTimeout as delay } from "node:timers/promises"
import { gunzipSync } from "node:zlib"
import { readNumbers } from "../testing/arguments.ts"
import { findPrometheus } from "../testing/prometheus.ts"
import { until } from "../testing/until.ts"
import { alternate, cpuOf, load, type Load, residentOf } from "./proxy-peers/load.ts"
import { type Ground, prepare } from "./proxy-peers/ground.ts"
import { BARE, QUERY, REUSED, scrape, startWays, type Way } from "./proxy-peers/ways.ts"

const { quick: QUICK } = readNumbers(
  "dev/bench/proxy",
  "measures scrapes through the proxy against those through HAProxy, nginx and nothing.",
  {},
  { quick: "one round, and fewer clients and series: a minute instead of nine" },
)
const ROUNDS = QUICK ? 1 : 3
const SECONDS = QUICK ? 3 : 5
/** Of fedstack and bare Node, one after the other. */
const TURNS = QUICK ? 3 : 7
const SCRAPES = 200
/** Of the larger responses, which take ten times as long. */
const LARGE_SCRAPES = 50
const SCENES = QUICK
  ? [{ series: 10_000, clients: [1, 50] }]
  : [
      { series: 10_000, clients: [1, 10, 50] },
      { series: 100_000, clients: [1, 10] }, // more of them wait for the original longer than a bench should last
    ]

const closers: (() => unknown)[] = []
const say = (line: string): void => void process.stdout.write(`${line}\n`)

interface Result extends Load {
  /** Seconds of Prometheus' CPU for one second. */
  readonly prometheus: number
  /** MB of the proxy's memory afterwards. */
  readonly resident: number
}

async function main(): Promise<void> {
  for (const [command, name] of [
    ["wrk", "wrk"],
    ["nginx", "nginx-light"],
    ["haproxy", "haproxy"],
  ] as const) {
    if (!has(command)) return stop(`${command} is missing: apt-get install ${name}`)
  }
  const found = findPrometheus()
  if ("missing" in found) return stop(found.missing)
  say(`${availableParallelism()} cores, Node ${process.versions.node}, ${first(join(found.value, "prometheus"))}`)
  say(`${first("haproxy", "-v")}, ${first("nginx", "-v")}; ${ROUNDS} rounds of ${SECONDS} s each, medians`)
  const ratios: string[] = []
  for (const { series, clients } of SCENES) ratios.push(...(await scene(found.value, series, clients)))
  for (const ratio of ratios) say(`\n${ratio}`)
}

function stop(reason: string): void {
  process.stderr.write(`dev/bench/proxy: ${reason}\n`)
  process.exitCode = 1
}

/** Returns what is to stand at the end of the output. */
async function scene(binaries: string, series: number, clients: readonly number[]): Promise<readonly string[]> {
  const ground = await prepare(binaries, series, closers)
  const ways = await startWays(ground)
  const responses = await Promise.all(ways.map(({ url }) => seriesAt(url, ground.token)))
  if (
    responses[0]?.length !== series ||
    responses.some((response) => response.join("\n") !== responses[0]?.join("\n"))
  ) {
    throw new Error(`not all ways give the same ${series} series`)
  }
  say(`\n${series} series, the same by every way`)
  for (const count of clients) {
    const results = new Map(ways.map((way) => [way, [] as Result[]]))
    for (let round = 0; round < ROUNDS; round++) {
      // who comes first changes every round
      for (const way of round % 2 === 0 ? ways : ways.toReversed()) {
        results.get(way)?.push(await measure(way, count, ground))
      }
    }
    const medians = new Map([...results].map(([{ name }, list]) => [name, medianOf(list)]))
    for (const [name, result] of medians) say(show(count, name, result))
    const lines =
      count === 1
        ? await compareScrapes(ways, ground.token, series > 10_000 ? LARGE_SCRAPES : SCRAPES)
        : compare(medians, count)
    for (const line of lines) say(`  ${line}`)
  }
  const ratios = clients.includes(50) ? [await compareToBare(ways, ground)] : []
  await closeAll()
  return ratios
}

async function seriesAt(url: string, token: string): Promise<readonly string[]> {
  const { statusCode, headers, body } = await scrape(url, token)
  const text = (headers.includes("gzip") ? gunzipSync(body) : body).toString()
  if (statusCode !== 200) throw new Error(`${url} responded with ${statusCode}: ${text.slice(0, 200)}`)
  const lines = text.split("\n").filter((line) => line.startsWith("project_"))
  return lines.map((line) => line.replace(/ \S+ \d+$/, "")).toSorted()
}

async function measure({ url, pid }: Way, clients: number, { token, pid: prometheus }: Ground): Promise<Result> {
  await idle(prometheus)
  const before = cpuOf(prometheus)
  const begin = performance.now()
  const result = await load(`${url}/federate?${QUERY}`, clients, SECONDS, token)
  const seconds = (performance.now() - begin) / 1000
  return { ...result, prometheus: (cpuOf(prometheus) - before) / seconds, resident: residentOf(pid) }
}

/** What Prometheus still does for requests of the way before must not count for this one. */
async function idle(pid: number): Promise<void> {
  let last = cpuOf(pid)
  await until(
    "Prometheus to have nothing to do",
    async () => {
      await delay(500)
      const now = cpuOf(pid)
      const calm = now - last < 0.1
      last = now
      return calm || undefined
    },
    120,
  )
}

function medianOf(results: readonly Result[]): Result {
  const median = (key: keyof Result): number =>
    results.map((result) => result[key]).toSorted((a, b) => a - b)[Math.floor(results.length / 2)] ?? Number.NaN
  return {
    requestsPerSecond: median("requestsPerSecond"),
    p50: median("p50"),
    p99: median("p99"),
    failures: Math.max(...results.map(({ failures }) => failures)),
    prometheus: median("prometheus"),
    resident: median("resident"),
  }
}

function show(clients: number, name: string, result: Result): string {
  const number = (value: number, digits: number): string => value.toFixed(digits).padStart(9)
  return [
    `${String(clients).padStart(2)} clients  ${name.padEnd(18)}`,
    `${number(result.requestsPerSecond, 1)} requests/s`,
    `p50 ${number(result.p50, 2)} ms`,
    `p99 ${number(result.p99, 2)} ms`,
    `Prometheus ${number(result.prometheus * 100, 1)} % CPU`,
    `RSS ${number(result.resident, 0)} MB`,
    result.failures > 0 ? `${result.failures} FAILED` : "",
  ].join("  ")
}

const line = (what: string, a: number, b: number, promise: string): string =>
  `${what}: ${(a / b).toPrecision(3)} (promised ${promise})`

/** One portal: single scrapes of one way and the other in turn, since runs one after the other differ by more. */
async function compareScrapes(ways: readonly Way[], token: string, scrapes: number): Promise<readonly string[]> {
  const names = ["haproxy", "fedstack, reuse 0s"]
  const urls = names.flatMap((name) =>
    ways.filter((way) => way.name === name).map(({ url }) => `${url}/federate?${QUERY}`),
  )
  await alternate(urls, 5, token)
  const [haproxy = [], fedstack = []] = await alternate(urls, scrapes, token)
  const at = (times: readonly number[], part: number): number =>
    times.toSorted((a, b) => a - b)[Math.floor(times.length * part)] ?? Number.NaN
  return [
    `${scrapes} scrapes each, in turn: haproxy p50 ${at(haproxy, 0.5).toFixed(2)} ms, fedstack without reuse p50 ${at(fedstack, 0.5).toFixed(2)} ms`,
    line("p50, fedstack without reuse to haproxy", at(fedstack, 0.5), at(haproxy, 0.5), "at most 1.05"),
    line("p99, fedstack without reuse to haproxy", at(fedstack, 0.99), at(haproxy, 0.99), "at most 1.1"),
  ]
}

/** Fedstack and bare Node in turn, once more and more often: their ratio differs less than what either of them reaches. */
async function compareToBare(ways: readonly Way[], ground: Ground): Promise<string> {
  const [bare, fedstack] = [BARE, REUSED].map((name) => ways.find((way) => way.name === name))
  if (bare === undefined || fedstack === undefined) throw new Error("no bare Node to compare with")
  const results = { bare: [] as Result[], fedstack: [] as Result[] }
  for (let turn = 0; turn < TURNS; turn++) {
    results.bare.push(await measure(bare, 50, ground))
    results.fedstack.push(await measure(fedstack, 50, ground))
  }
  const [a, b] = [medianOf(results.fedstack).requestsPerSecond, medianOf(results.bare).requestsPerSecond]
  const shown = `${TURNS} turns: fedstack ${a.toFixed(0)} requests/s, bare Node ${b.toFixed(0)}`
  return `${shown}\n${line("requests/s, fedstack to bare Node", a, b, "at least 0.6")}`
}

/** The ratios that are promised, beside what is promised. */
function compare(medians: ReadonlyMap<string, Result>, clients: number): readonly string[] {
  const [haproxy, nginx, reused, shared] = ["haproxy", "nginx, cache 1s", REUSED, "fedstack, reuse 0s"].map((name) =>
    medians.get(name),
  )
  if (haproxy === undefined || nginx === undefined || reused === undefined || shared === undefined) return []
  if (clients < 50) return []
  return [
    line("requests/s, fedstack to nginx", reused.requestsPerSecond, nginx.requestsPerSecond, "at least 1"),
    line("p99, fedstack to nginx", reused.p99, nginx.p99, "at most 0.1"),
    line("requests/s, fedstack to haproxy", reused.requestsPerSecond, haproxy.requestsPerSecond, "at least 25"),
    line("Prometheus' CPU, fedstack to haproxy", reused.prometheus, haproxy.prometheus, "at most 0.05"),
    line(
      "requests/s, fedstack without reuse to haproxy",
      shared.requestsPerSecond,
      haproxy.requestsPerSecond,
      "at least 5",
    ),
    line("p99, fedstack without reuse to haproxy", shared.p99, haproxy.p99, "at most 0.25"),
  ]
}

function has(command: string): boolean {
  try {
    execFileSync("sh", ["-c", `command -v ${command}`], { stdio: "ignore" })
    return true
  } catch {
    return false
  }
}

function first(command: string, flag = "--version"): string {
  return execFileSync("sh", ["-c", `${command} ${flag} 2>&1`], { encoding: "utf8" }).split("\n")[0] ?? ""
}

async function closeAll(): Promise<void> {
  for (const close of closers.splice(0)) await close()
}

try {
  await main()
} finally {
  await closeAll()
}
