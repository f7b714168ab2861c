import { setTimeout as delay } from "node:timers/promises"
import { scrape, type Started } from "./ground.ts"

const SCRAPES = 15

export const say = (line: string): void => void process.stdout.write(`${line}\n`)

export const median = (list: readonly number[]): number =>
  list.toSorted((a, b) => a - b)[list.length >> 1] ?? Number.NaN

export function promised(what: string, value: number, most: number): void {
  say(`  ${what}: ${value.toPrecision(3)} (promised at most ${most})`)
}

/** Stops what was started when the work with it is over. */
export async function using<S extends Started, T>(started: Promise<S>, work: (started: S) => Promise<T>): Promise<T> {
  const one = await started
  try {
    return await work(one)
  } finally {
    await one.stop()
  }
}

/** Of so many scrapes one after the other, with milliseconds between them. */
export async function scrapes(url: string, encoding: "gzip" | "identity", between = 0, count = SCRAPES) {
  const all: { readonly milliseconds: number; readonly bytes: number }[] = []
  for (let round = 0; round < count; round++) {
    all.push(await scrape(url, encoding))
    await delay(between)
  }
  return { p50: median(all.map(({ milliseconds }) => milliseconds)), bytes: all.at(-1)?.bytes ?? 0 }
}
