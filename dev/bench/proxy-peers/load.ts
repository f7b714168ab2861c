import { execFile } from "node:child_process"
import { readFileSync } from "node:fs"
import type { Readable } from "node:stream"
import { finished } from "node:stream/promises"
import { promisify } from "node:util"
import { request } from "undici"

export interface Load {
  readonly requestsPerSecond: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
  /** Responses that were no 2xx or 3xx, broke off or came too late. */
  readonly failures: number
}

/** Milliseconds of single scrapes of each URL in turn, so that all meet the same moods of the machine. */
export async function alternate(urls: readonly string[], scrapes: number, token: string): Promise<readonly number[][]> {
  const headers = { authorization: `Bearer ${token}`, "accept-encoding": "gzip" }
  const times: number[][] = urls.map(() => [])
  for (let i = 0; i < scrapes; i++) {
    for (const [way, url] of urls.entries()) {
      const begin = performance.now()
      const { body, statusCode } = await request(url, { headers })
      await readWhole(body)
      if (statusCode !== 200) throw new Error(`${url} responded ${statusCode}`)
      times[way]?.push(performance.now() - begin)
    }
  }
  return times
}

/** Takes a response to its end; rejects where it breaks off. `dump` of undici leaves after 128 KiB, also with an infinite limit. */
export async function readWhole(body: Readable): Promise<void> {
  body.resume()
  await finished(body)
}

const UNITS: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000, m: 60_000 }

/** Requests over so many connections, each one after the other, by wrk. */
export async function load(
  url: string,
  clients: number,
  seconds: number,
  token: string,
  encoding = "gzip",
): Promise<Load> {
  const { stdout } = await promisify(execFile)("wrk", [
    "-t1",
    `-c${clients}`,
    `-d${seconds}s`,
    "--timeout=60s",
    "--latency",
    "-H",
    `Authorization: Bearer ${token}`,
    "-H",
    `Accept-Encoding: ${encoding}`,
    url,
  ])
  const time = (percent: number): number => {
    const [, value, unit] = new RegExp(`^ +${percent}%\\s+([\\d.]+)(\\w+)`, "m").exec(stdout) ?? []
    return Number(value) * (UNITS[unit ?? ""] ?? Number.NaN)
  }
  const sum = (pattern: RegExp): number =>
    [...(pattern.exec(stdout)?.[0].matchAll(/\d+/g) ?? [])].reduce((total, [count]) => total + Number(count), 0)
  return {
    requestsPerSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]),
    p50: time(50),
    p99: time(99),
    failures: sum(/Non-2xx.*/) + sum(/Socket errors.*/),
  }
}

/** Seconds of CPU that a process took so far. */
export function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? []
  return (Number(fields[11]) + Number(fields[12])) / 100
}

/** MB that a process has resident now. */
export function residentOf(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024
}
