import { execFileSync } from "node:child_process"
import { readFileSync, writeFileSync } from "node:fs"
import { availableParallelism } from "node:os"
import { cpuOf } from "../proxy-peers/load.ts"
import { type Bodies, send } from "./senders.ts"
import type { Way } from "./ways.ts"

export interface Result {
  readonly samplesPerSecond: number
  /** Seconds of the processor for a million samples. */
  readonly cpu: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
  /** MB that were resident at most. */
  readonly resident: number
}

/** Before this process is kept from one. */
export const CORES = availableParallelism()

/** The proxy on one core, what sends and what receives on the others: as if they were machines of their own. */
export function pin(pid: number, whose: "proxy" | "others"): void {
  if (CORES < 2) return
  execFileSync("taskset", ["-a", "-p", "-c", whose === "proxy" ? "0" : `1-${CORES - 1}`, String(pid)], {
    stdio: "ignore",
  })
}

export async function measure(way: Way, bodies: Bodies, senders: number, requests: number): Promise<Result> {
  writeFileSync(`/proc/${way.pid}/clear_refs`, "5") // the most that was resident counts anew
  const before = cpuOf(way.pid)
  const begin = performance.now()
  const times = await send(way.url, bodies, senders, requests)
  const seconds = (performance.now() - begin) / 1000
  const samples = bodies.samples * requests
  const sorted = times.toSorted((one, other) => one - other)
  const at = (part: number): number => sorted[Math.floor(sorted.length * part)] ?? Number.NaN
  return {
    samplesPerSecond: samples / seconds,
    cpu: ((cpuOf(way.pid) - before) / samples) * 1e6,
    p50: at(0.5),
    p99: at(0.99),
    resident: mostResidentOf(way.pid),
  }
}

export function medianOf(results: readonly Result[]): Result {
  const median = (key: keyof Result): number =>
    results.map((result) => result[key]).toSorted((one, other) => one - other)[results.length >> 1] ?? Number.NaN
  return {
    samplesPerSecond: median("samplesPerSecond"),
    cpu: median("cpu"),
    p50: median("p50"),
    p99: median("p99"),
    resident: Math.max(...results.map(({ resident }) => resident)),
  }
}

/** MB since it was last reset. */
export const mostResidentOf = (pid: number): number =>
  Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024
