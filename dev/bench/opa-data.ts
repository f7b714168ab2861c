import { availableParallelism } from "node:os"
import { setTimeout as delay } from "node:timers/promises"
import { isDeepStrictEqual } from "node:util"
import { findKubernetes } from "../testing/kubernetes.ts"
import { findOpa } from "../testing/opa.ts"
import { admissionWhile, type Latency } from "./opa-peers/admission.ts"
import { startCountingGate } from "./opa-peers/counting-gate.ts"
import { countsIn, type Exporter, memoryOf, processorOf, startExporter } from "./opa-peers/exporter.ts"
import { prepare, startFilled } from "./opa-peers/fleet.ts"
import { startOriginal } from "./opa-peers/original.ts"
import { startPods } from "./opa-peers/pods.ts"
import { freePort } from "../testing/free-port.ts"

const ROUNDS = 9
/** Collections before the first that counts: a process that has run for an hour has compiled what it does each time. */
const WARM = 100
const PODS = 6
const MANY = 500
const STEADY_SECONDS = 20
const ADMISSION_SECONDS = 4

type Fleet = Awaited<ReturnType<typeof prepare>>

process.setMaxListeners(50) // each process that is started waits for the end of this one

const say = (line: string): void => void process.stdout.write(`${line}\n`)
const ratio = (what: string, a: number, b: number, promise: string): void =>
  say(`  ${what}: ${(a / b).toPrecision(3)} (promised ${promise})`)
const median = (list: readonly number[]): number => list.toSorted((a, b) => a - b)[list.length >> 1] ?? Number.NaN
const urlsOf = (urls: readonly string[]): readonly string[] => urls.map((url) => `--opa-url=${url}`)

const PARTS: Readonly<Record<string, (fleet: Fleet) => Promise<void>>> = {
  ways: compareWays,
  sizes: compareSizes,
  admission: compareAdmission,
  pods: manyPods,
}

async function main(chosen: readonly string[]): Promise<void> {
  const parts = Object.keys(PARTS).join(", ")
  if (chosen.includes("--help"))
    return say(`dev/bench/opa-data [PART ...]: measures the exporter of OPA data. Parts: ${parts}`)
  const found = findOpa()
  if ("missing" in found) return stop(found.missing)
  const unknown = chosen.filter((name) => PARTS[name] === undefined)
  if (unknown.length > 0) return stop(`no part ${unknown.join(", ")}; there are: ${parts}`)
  say(`${availableParallelism()} cores, Node ${process.versions.node}; medians of ${ROUNDS} rounds in turns`)
  for (const [name, measure] of Object.entries(PARTS)) {
    if (chosen.length > 0 && !chosen.includes(name)) continue
    const fleet = await prepare(found.value)
    try {
      await measure(fleet)
    } finally {
      for (const close of fleet.closers.splice(0)) await close()
    }
  }
}

function stop(reason: string): void {
  process.stderr.write(`dev/bench/opa-data: ${reason}\n`)
  process.exitCode = 1
}

interface Way {
  readonly name: string
  /** One collection: its counts. */
  readonly collect: () => Promise<readonly string[]>
  readonly processor: () => number
  readonly times: number[]
  readonly processorTimes: number[]
}

async function compareWays(fleet: Fleet): Promise<void> {
  const opas = await Promise.all(Array.from({ length: PODS }, () => startFilled(fleet, 1)))
  const urls = opas.map(({ url }) => url)
  const gates = await Promise.all(opas.map(({ port }) => startCountingGate(port, fleet.closers)))
  const counts = await startExporter(fleet, ["--digest=off", ...urlsOf(urls)])
  const digests = await startExporter(fleet, ["--digest-interval=0", "--digest-budget=1", ...urlsOf(urls)])
  const counted = await startExporter(fleet, ["--digest=off", ...urlsOf(gates.map(({ url }) => url))])
  let plain = 0
  const way = (name: string, processor: Way["processor"], collect: Way["collect"]): Way => ({
    name,
    collect,
    processor,
    times: [],
    processorTimes: [],
  })
  const exporter = (name: string, { pid, collect }: Exporter): Way =>
    way(
      name,
      () => processorOf(pid),
      async () => countsIn((await collect()).text),
    )
  const original = startOriginal(fleet, urls)
  const ways = [
    way(
      "the original's",
      () => processorOf(original.pid),
      async () => {
        const { lines, bytes } = await original.collect()
        plain = bytes
        return lines
      },
    ),
    exporter("counts", counts),
    exporter("counts and digests", digests),
  ]
  for (let round = 0; round < WARM; round++) for (const { collect } of [counts, digests]) await collect()
  for (let round = -1; round < ROUNDS; round++) {
    let expected: readonly string[] | undefined
    for (const one of ways) {
      const [cpu, begin] = [one.processor(), performance.now()]
      const lines = await one.collect()
      if (round >= 0) {
        one.times.push((performance.now() - begin) / 1000)
        one.processorTimes.push(one.processor() - cpu)
      }
      expected ??= lines
      if (lines.length === 0 || !isDeepStrictEqual(lines, expected)) throw new Error(`${one.name} counts otherwise`)
    }
  }
  const steady = await processorOfInterval(fleet, urls)
  await counted.collect() // opens the connections
  const before = gates.reduce((sum, gate) => sum + gate.bytes(), 0)
  await counted.collect()
  const ours = gates.reduce((sum, gate) => sum + gate.bytes(), 0) - before

  say(`\n${PODS} pods, 3 paths with 453, 991 and 524 objects: the same counts by every way`)
  for (const { name, times, processorTimes } of ways) {
    const [wall, cpu] = [median(times) * 1000, median(processorTimes) * 1000]
    say(
      `  ${name.padEnd(20)} wall ${wall.toFixed(1).padStart(8)} ms, at most ${(Math.max(...times) * 1000).toFixed(1).padStart(8)} ms; processor ${cpu.toFixed(1).padStart(8)} ms`,
    )
  }
  say(`  bytes of responses: ${plain} in plain text; ours ${ours} on the wire, with TLS and headers`)
  const [first, count, digest] = ways
  if (first === undefined || count === undefined || digest === undefined) return
  ratio("wall, counts to the original's", median(count.times), median(first.times), "at most 0.02")
  ratio("wall, with digests to the original's", median(digest.times), median(first.times), "at most 0.0667")
  say(`  counts each second, without scrapes: processor ${(steady * 1000).toFixed(1)} ms for a collection`)
  ratio(
    "processor, counts to the original's, both without scrapes",
    steady,
    median(first.processorTimes),
    "at most 0.01",
  )
  ratio("bytes, counts to the original's", ours, plain, "at most 0.001")
}

/** Seconds of a collection that nobody waits for, beyond what the process takes anyway; so are the original's measured. */
async function processorOfInterval(fleet: Fleet, urls: readonly string[]): Promise<number> {
  const start = (interval: string): Promise<Exporter> =>
    startExporter(fleet, ["--collect=interval", `--interval=${interval}`, "--digest=off", ...urlsOf(urls)])
  const [busy, idle] = [await start("1s"), await start("1h")]
  await delay(WARM * 1000)
  const before = processorOf(busy.pid) - processorOf(idle.pid)
  await delay(STEADY_SECONDS * 1000)
  return (processorOf(busy.pid) - processorOf(idle.pid) - before) / STEADY_SECONDS
}

async function compareSizes(fleet: Fleet): Promise<void> {
  const [small, large] = [await startFilled(fleet, 1), await startFilled(fleet, 20)]
  const bytes: number[] = []
  for (const { port } of [small, large]) {
    const gate = await startCountingGate(port, fleet.closers)
    const { collect } = await startExporter(fleet, ["--digest=off", ...urlsOf([gate.url])])
    await collect()
    const before = gate.bytes()
    await collect()
    bytes.push(gate.bytes() - before)
  }
  say(`\n20 times the objects: ${bytes[1]} bytes of one pod instead of ${bytes[0]}`)
  ratio("bytes", bytes[1] ?? 0, bytes[0] ?? 1, "constant, but for the digits of the counts")
}

async function compareAdmission(fleet: Fleet): Promise<void> {
  const opa = await startFilled(fleet, 1)
  const counts = await startExporter(fleet, ["--digest=off", ...urlsOf([opa.url])])
  const digests = await startExporter(fleet, ["--digest-interval=0", "--digest-budget=1", ...urlsOf([opa.url])])
  const idle = { name: "nothing", meanwhile: () => Promise.resolve(), results: [] as Latency[] }
  const counting = { name: "counts", meanwhile: counts.collect, results: [] as Latency[] }
  const digesting = { name: "counts and digests", meanwhile: digests.collect, results: [] as Latency[] }
  const original = {
    name: "the original's",
    meanwhile: startOriginal(fleet, [opa.url]).collect,
    results: [] as Latency[],
  }
  const cases = [idle, counting, digesting, original]
  for (let round = 0; round < 5; round++) {
    for (const { meanwhile, results } of round % 2 === 0 ? cases : cases.toReversed()) {
      results.push(await admissionWhile(opa, ADMISSION_SECONDS, meanwhile))
    }
  }
  say(`\nadmission of one OPA with a write per 100 ms, while its data is read over and over (medians of 5 runs)`)
  const of = (results: readonly Latency[], key: keyof Latency): number => median(results.map((result) => result[key]))
  for (const { name, results } of cases) {
    const [p50, p99, worst] = (["p50", "p99", "worst"] as const).map((key) => of(results, key).toFixed(2).padStart(7))
    say(`  ${name.padEnd(20)} p50 ${p50} ms  p99 ${p99} ms  worst ${worst} ms`)
  }
  ratio("worst, counts to nothing", of(counting.results, "worst"), of(idle.results, "worst"), "at most 2")
}

async function manyPods(fleet: Fleet): Promise<void> {
  const addresses = Array.from({ length: MANY }, (_, index) => `127.1.${index >> 8}.${index & 255}`)
  const servers = await Promise.all(Array.from({ length: 4 }, () => startFilled(fleet, 1)))
  const port = await freePort()
  await Promise.all(
    addresses.map((host, index) =>
      startCountingGate(servers[index % servers.length]?.port ?? 0, fleet.closers, { host, port }),
    ),
  )
  const kubernetes = findKubernetes()
  const found =
    "value" in kubernetes
      ? await startPods(kubernetes.value, addresses, port, fleet.closers)
      : { env: {}, args: urlsOf(addresses.map((address) => `https://${address}:${port}`)) }
  const { pid, collect } = await startExporter(fleet, ["--digest=off", ...found.args], found.env)
  const times: number[] = []
  for (let round = 0; round <= ROUNDS; round++) {
    const { text, seconds } = await collect()
    times.push(seconds)
    const up = text.match(/^opa_up\{.*\} 1$/gm)?.length
    if (up !== MANY) throw new Error(`${up} of ${MANY} pods were read:\n${text.slice(0, 2000)}`)
  }
  const [first = Number.NaN, ...later] = times
  const { now, peak } = memoryOf(pid)
  say(
    `\n${MANY} pods${"value" in kubernetes ? " found in a real Kubernetes" : " by URL"}, ${servers.length} OPAs behind them`,
  )
  say(
    `  first collection, with all TLS handshakes ${first.toFixed(2)} s; later ones ${median(later).toFixed(2)} s (promised less than 2 s)`,
  )
  say(`  memory ${now.toFixed(0)} MB, at most ${peak.toFixed(0)} MB (promised less than 120 MB)`)
}

await main(process.argv.slice(2))
