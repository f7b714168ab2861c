import { createGunzip } from "node:zlib"
import type { Accepted } from "./answer.ts"
import { countSeries } from "./series.ts"

/** Looks into a body while it passes: how many series it has, and whether it is whole. */
export interface Inspection {
  /** So far. */
  readonly series: number
  add(chunk: Buffer): void
  /** Rejects where the body is not whole, or not what its headers say. */
  end(): Promise<void>
  close(): void
}

/** Metrics shrink to a twentieth, rarely to a hundredth; a bomb to a thousandth. */
const MOST_GROWTH = 250
const ALWAYS_FINE = 2 ** 20

/** `found` is called when there are more series, or with what is wrong: compressed bodies are read beside the event loop. */
export function inspect({ format, gzip }: Accepted, found: (problem?: Error) => void): Inspection {
  const count = countSeries(format)
  const finish = (): void => {
    const problem = count.unfinished()
    if (problem !== undefined) throw new Error(problem)
  }
  if (!gzip) {
    return {
      get series() {
        return count.series
      },
      add(chunk) {
        count.add(chunk)
        found()
      },
      // oxlint-disable-next-line typescript/require-await -- what finish throws becomes a rejection
      end: async () => finish(),
      close: () => undefined,
    }
  }
  const gunzip = createGunzip({ chunkSize: 2 ** 18 })
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  promise.catch(() => undefined) // whoever waits for the end is told; before, `found` is
  let compressed = 0
  let plain = 0
  const fail = (problem: Error): void => {
    gunzip.destroy()
    reject(problem)
    found(problem)
  }
  gunzip.on("data", (chunk: Buffer) => {
    plain += chunk.length
    if (plain > ALWAYS_FINE && plain > compressed * MOST_GROWTH) return fail(new Error("it grows without measure"))
    try {
      count.add(chunk)
    } catch (error) {
      return fail(error instanceof Error ? error : new Error(String(error)))
    }
    found()
  })
  gunzip.once("error", fail)
  gunzip.once("end", () => {
    try {
      // an answer without a byte has no gzip frame either
      finish()
      resolve()
    } catch (error) {
      reject(error)
    }
  })
  return {
    get series() {
      return count.series
    },
    add(chunk) {
      compressed += chunk.length
      gunzip.write(chunk)
    },
    end() {
      if (!gunzip.destroyed) gunzip.end()
      return promise
    },
    close: () => gunzip.destroy(),
  }
}
