import { fork } from "node:child_process"
import { once } from "node:events"
import { mkdtemp, rm } from "node:fs/promises"
import { loadavg, tmpdir } from "node:os"
import { join } from "node:path"
import { isDeepStrictEqual } from "node:util"
import { readNumbers } from "../testing/arguments.ts"
import { residentOf } from "./proxy-peers/load.ts"
import { CORES, measure, medianOf, pin, type Result } from "./tenancy-peers/measure.ts"
import { type Bodies, makeBodies, send } from "./tenancy-peers/senders.ts"
import { Sum, type Version } from "./tenancy-peers/tally.ts"
import type { Question, Received } from "./tenancy-peers/upstream.ts"
import { type Ground, NAIVE, OURS, PEER, startFedstack, startWays, type Way } from "./tenancy-peers/ways.ts"

const { quick: QUICK, ...flags } = readNumbers(
  "dev/bench/tenancy",
  "measures remote write split by tenant beside no splitting, a naive proxy and cortex-tenant.",
  {
    requests: { help: "requests of a round (default 240)", default: 240, least: 8 },
    workers: { help: "measures so many workers too (default 1)", default: 1, least: 1 },
  },
  {
    quick: "one round of fewer requests, at 8 senders",
    long: "ten minutes of 32 senders to fedstack alone: its memory",
  },
)
const [SERIES, TENANTS] = [2000, 20]
const SENDERS = QUICK ? [8] : [1, 8, 32]
const ROUNDS = QUICK ? 1 : 3
const REQUESTS = QUICK ? Math.min(flags.requests, 120) : flags.requests
/** Requests until V8 has compiled what is used much. */
const WARM = QUICK ? 400 : 800
const MINUTES = 10
const closers: (() => unknown)[] = []
const say = (line: string): void => void process.stdout.write(`${line}\n`)

interface Upstream {
  readonly url: string
  /** What it received since the last time. */
  received(version: Version): Promise<Received>
}

async function startUpstream(): Promise<Upstream> {
  const child = fork(join(import.meta.dirname, "tenancy-peers/upstream.ts"))
  closers.unshift(() => child.kill())
  const [port] = (await once(child, "message")) as [number]
  pin(child.pid ?? 0, "others")
  return {
    url: `http://127.0.0.1:${port}/api/v1/push`,
    async received(version) {
      child.send({ version } satisfies Question)
      const [received] = (await once(child, "message")) as [Received]
      return received
    },
  }
}

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "fedstack-bench-"))
  closers.push(() => rm(folder, { recursive: true, force: true }))
  const upstream = await startUpstream()
  const ground: Ground = { folder, url: upstream.url, closers }
  pin(process.pid, "others")
  say(
    `${CORES} cores, Node ${process.versions.node}, load ${loadavg()
      .map((one) => one.toFixed(1))
      .join(" ")}`,
  )
  if (flags.long) return watchMemory(await startFedstack(ground, 1), upstream)
  const { ways, missing } = await startWays(ground)
  if (flags.workers > 1) ways.push(await startFedstack(ground, flags.workers))
  for (const reason of missing) say(`left out, ${reason}`)
  for (const { pid, name } of ways) if (!name.includes("workers")) pin(pid, "proxy")
  const ratios: string[] = []
  for (const version of [1, 2] as const) ratios.push(...(await compareAll(version, ways, upstream)))
  for (const ratio of ratios) say(ratio)
}

/** Returns what is to stand at the end of the output. */
async function compareAll(version: Version, all: readonly Way[], upstream: Upstream): Promise<readonly string[]> {
  const bodies = makeBodies(version, SERIES, TENANTS, Date.now())
  const ways = all.filter(({ versions }) => versions.includes(version))
  say(
    `\nversion ${version}: ${SERIES} series of 12 labels, ${TENANTS} tenants, ${bodies.decodedBytes} bytes, ${bodies.blocks[0]?.length} compressed; ${ROUNDS} rounds of ${REQUESTS} requests each, medians`,
  )
  for (const way of ways) await send(way.url, bodies, 8, WARM)
  await upstream.received(version)
  const check = createCheck(bodies)
  const ratios: string[] = []
  for (const senders of SENDERS) {
    const results = new Map(ways.map((way) => [way, [] as Result[]]))
    let upstreamRequests = ""
    for (let round = 0; round < ROUNDS; round++) {
      // who comes first changes every round
      for (const way of round % 2 === 0 ? ways : ways.toReversed()) {
        results.get(way)?.push(await measure(way, bodies, senders, REQUESTS))
        const received = await upstream.received(version)
        check(way, received)
        if (way.name === OURS) upstreamRequests = ` ${(received.requests / REQUESTS).toFixed(1)} upstream requests each`
      }
    }
    const medians = new Map([...results].map(([{ name }, list]) => [name, medianOf(list)]))
    for (const [name, result] of medians) say(show(senders, name, result) + (name === OURS ? upstreamRequests : ""))
    if (senders === 8) ratios.push(...compare(version, medians))
  }
  return ratios
}

/** Throws where all tenants together did not get what was sent, or one not what it got by the others. */
function createCheck({ blocks, version }: Bodies): (way: Way, received: Received) => void {
  let [samples, sum] = [0, 0n]
  for (const [index, block] of blocks.entries()) {
    const tally = new Sum()
    tally.add(block, version)
    const times = Math.ceil((REQUESTS - index) / blocks.length)
    samples += tally.tally.samples * times
    sum += BigInt(tally.tally.sum) * BigInt(times)
  }
  let first: Received["tenants"] | undefined
  return ({ name, splits }, { tenants }) => {
    const tallies = Object.values(tenants)
    const got = tallies.reduce((total, tally) => total + tally.samples, 0)
    const gotSum = tallies.reduce((total, tally) => total + BigInt(tally.sum), 0n)
    if (got !== samples || gotSum !== sum) throw new Error(`${name}: ${got} samples came of ${samples}, or other ones`)
    if (!splits) return
    first ??= tenants
    if (!isDeepStrictEqual(tenants, first)) throw new Error(`${name}: tenants did not get what they got otherwise`)
  }
}

const show = (senders: number, name: string, { samplesPerSecond, cpu, p50, p99, resident }: Result): string =>
  [
    `${String(senders).padStart(2)} senders  ${name.padEnd(20)}`,
    `${samplesPerSecond.toFixed(0).padStart(9)} samples/s`,
    `${cpu.toFixed(2).padStart(6)} s CPU per million`,
    `p50 ${p50.toFixed(1).padStart(6)} ms`,
    `p99 ${p99.toFixed(1).padStart(6)} ms`,
    `RSS ${resident.toFixed(0).padStart(4)} MB`,
  ].join("  ")

/** Of the processor, as other work on the machine does not touch it as it does the time. */
function compare(version: Version, medians: ReadonlyMap<string, Result>): readonly string[] {
  const ours = medians.get(OURS)
  return (
    [
      [NAIVE, 6],
      [PEER, 4],
    ] as const
  ).flatMap(([name, promised]) => {
    const other = medians.get(name)
    if (other === undefined || ours === undefined) return []
    const [bySpeed, byCpu] = [ours.samplesPerSecond / other.samplesPerSecond, other.cpu / ours.cpu]
    return [
      `version ${version}, 8 senders, ${OURS} to ${name}: samples/s ${bySpeed.toFixed(2)}, samples for a second of the processor ${byCpu.toFixed(2)} (promised at least ${promised})`,
    ]
  })
}

async function watchMemory(way: Way, upstream: Upstream): Promise<void> {
  const bodies = makeBodies(1, SERIES, TENANTS, Date.now())
  pin(way.pid, "proxy")
  const check = createCheck(bodies)
  const minutes: number[] = []
  const begin = performance.now()
  while (minutes.length < MINUTES) {
    let most = 0
    while (performance.now() - begin < (minutes.length + 1) * 60_000) {
      const { resident } = await measure(way, bodies, 32, REQUESTS)
      check(way, await upstream.received(1))
      most = Math.max(most, resident)
    }
    minutes.push(most)
    say(`minute ${minutes.length}: RSS at most ${most.toFixed(0)} MB, ${residentOf(way.pid).toFixed(0)} MB now`)
  }
  const last = minutes.at(-1) ?? Number.NaN
  say(`RSS, the last minute to the second: ${(last / (minutes[1] ?? Number.NaN)).toFixed(2)}`)
}

try {
  await main()
} finally {
  for (const close of closers) await close()
}
process.exit()
