import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { loadavg, tmpdir } from "node:os"
import { join } from "node:path"
import { readNumbers } from "../testing/arguments.ts"
import { start } from "../testing/child.ts"
import { findPrometheus, startPrometheus } from "../testing/prometheus.ts"
import { until } from "../testing/until.ts"
import { load, residentOf } from "./proxy-peers/load.ts"

const { quick: QUICK } = readNumbers(
  "dev/bench/portal-door",
  "measures what passing Prometheus through the portal costs.",
  {},
  { quick: "two turns of 4 s in place of five of 10 s" },
)
const TURNS = QUICK ? 2 : 5
const SECONDS = QUICK ? 4 : 10
const CLIENTS = 10
const SERIES = 5
const STEPS = 9400

const say = (line: string): void => void process.stdout.write(`${line}\n`)

/** Of invented series, so that no data is needed: about 1 MB. */
function rangeQuery(): string {
  const one = (index: number): string => `label_replace(vector(time() + ${index}), "series", "${index}", "", "")`
  const query = Array.from({ length: SERIES }, (_, index) => one(index)).join(" or ")
  const begin = 1_700_000_000
  const parameters = { query, start: String(begin), end: String(begin + STEPS), step: "1" }
  return `/prometheus/api/v1/query_range?${new URLSearchParams(parameters).toString()}`
}

async function main(): Promise<void> {
  const found = findPrometheus()
  if ("missing" in found) {
    process.stderr.write(`${found.missing}\n`)
    process.exitCode = 1
    return
  }
  const folder = await mkdtemp(join(tmpdir(), "fedstack-door-"))
  await writeFile(join(folder, "prometheus.yml"), "{}\n")
  await writeFile(join(folder, "sites.yaml"), "sites: []\n")
  const prometheus = await startPrometheus(found.value, join(folder, "prometheus.yml"), [
    "--web.external-url=http://portal.example.org/prometheus/",
  ])
  const portal = start(join(import.meta.dirname, "..", "..", "bin", "fedstack"), [
    "portal",
    `--sites.file=${join(folder, "sites.yaml")}`,
    `--prometheus.url=${prometheus.url}/`,
    `--prometheus.config-dir=${join(folder, "generated")}`,
    "--web.listen-address=127.0.0.1:0",
  ])
  try {
    const port = await until("the portal", () => /msg=listening .*?127\.0\.0\.1:(\d+)/.exec(portal.output())?.[1])
    await compare(new URL(prometheus.url).origin, `http://127.0.0.1:${port}`, portal.process.pid ?? 0)
  } finally {
    await portal.stop()
    await prometheus.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

async function compare(direct: string, door: string, pid: number): Promise<void> {
  const path = rangeQuery()
  const size = (await (await fetch(door + path)).arrayBuffer()).byteLength
  say(
    `A range query of ${(size / 1e6).toFixed(2)} MB, ${CLIENTS} clients, ${TURNS} turns of ${SECONDS} s each; load of the machine before: ${loadavg()[0]?.toFixed(1)}`,
  )
  const results: Record<string, { p50: number[]; p99: number[]; rate: number[] }> = {}
  const memory: number[] = []
  for (let turn = 0; turn < TURNS; turn++) {
    for (const encoding of ["identity", "gzip"]) {
      for (const [way, base] of [
        ["Prometheus alone", direct],
        ["through the portal", door],
      ] as const) {
        const { p50, p99, requestsPerSecond, failures } = await load(base + path, CLIENTS, SECONDS, "", encoding)
        if (failures > 0) throw new Error(`${failures} requests failed ${way}`)
        const result = (results[`${encoding}, ${way}`] ??= { p50: [], p99: [], rate: [] })
        result.p50.push(p50)
        result.p99.push(p99)
        result.rate.push(requestsPerSecond)
      }
    }
    memory.push(residentOf(pid))
  }
  for (const [name, { p50, p99, rate }] of Object.entries(results))
    say(
      `${name.padEnd(30)} ${median(rate).toFixed(1).padStart(7)} requests/s  p50 ${ms(median(p50))}  p99 ${ms(median(p99))}`,
    )
  for (const encoding of ["identity", "gzip"]) {
    const [alone, passed] = ["Prometheus alone", "through the portal"].map((way) => results[`${encoding}, ${way}`])
    if (alone === undefined || passed === undefined) continue
    const ratio = (of: "p50" | "p99"): string => (median(passed[of]) / median(alone[of])).toFixed(2)
    say(`${encoding}: passing through takes ${ratio("p50")} x the time at p50, ${ratio("p99")} x at p99`)
  }
  say(`memory of the portal after each turn: ${memory.map((value) => `${Math.round(value)} MB`).join(", ")}`)
}

const ms = (value: number): string => `${value.toFixed(1)} ms`.padStart(10)

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

await main()
