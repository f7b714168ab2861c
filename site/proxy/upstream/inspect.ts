import { createGunzip, type Gunzip } from "node:zlib"
import { createChunkQueue } from "./chunk-queue.ts"
import { countSeries, type MetricsFormat } from "./series.ts"

/** Looks into a body while it passes: how many series it has, and whether it is whole. */
export interface Inspection {
  add(chunk: Buffer): void
  /** Rejects where the body is not whole, or not what its headers say. */
  end(): Promise<void>
  close(): void
}

/** Metrics shrink to a twentieth, rarely to a hundredth; a bomb to a thousandth. */
const MOST_GROWTH = 250
const ALWAYS_FINE = 2 ** 20
/** Bytes that are worth a turn of a thread. */
const INPUT = 2 ** 13
/** Bytes that are read in one turn where more wait: under load, turns are what a response waits for. */
const MOST_INPUT = 2 ** 16
/** Room for what INPUT grows to, mostly. */
const OUTPUT = 2 ** 18

/**
 * `found` is called with the series so far, and with what is wrong: compressed bodies are read beside the event loop.
 */
export function inspect(
  format: MetricsFormat,
  gzip: boolean,
  found: (series: number, problem?: Error) => void,
): Inspection {
  const count = countSeries(format)
  const finish = (): void => {
    const problem = count.unfinished()
    if (problem !== undefined) throw new Error(problem)
  }
  if (!gzip) {
    return {
      add(chunk) {
        count.add(chunk)
        found(count.series)
      },
      // oxlint-disable-next-line typescript/require-await -- what finish throws becomes a rejection
      end: async () => finish(),
      close: () => undefined,
    }
  }
  const gunzip: Gunzip & { _outOffset?: number } = createGunzip({ chunkSize: OUTPUT })
  const { promise: inflated, resolve, reject } = Promise.withResolvers<void>()
  inflated.catch(() => undefined) // the caller of end() gets it; before, `found` is called
  let compressed = 0
  let plain = 0
  const waiting = createChunkQueue()
  let busy = false
  let ended = false
  const fail = (problem: Error): void => {
    gunzip.destroy()
    reject(problem)
    found(count.series, problem)
  }
  gunzip.on("data", (chunk: Buffer) => {
    plain += chunk.length
    if (plain > ALWAYS_FINE && plain > compressed * MOST_GROWTH) return fail(new Error("it grows without measure"))
    try {
      count.add(chunk)
    } catch (error) {
      return fail(error instanceof Error ? error : new Error(String(error)))
    }
    found(count.series)
  })
  gunzip.once("error", fail)
  gunzip.once("end", resolve) // also of a response without a byte, which has no gzip frame either
  const goOn = (): void => {
    if (busy || gunzip.destroyed || (waiting.bytes < INPUT && !ended)) return
    const next = waiting.take(MOST_INPUT)
    if (ended && waiting.bytes === 0) return void gunzip.end(next)
    busy = true
    gunzip.write(next, () => {
      busy = false
      // Nothing is being written and all was read: the output begins anew in the same memory. Node would go on to the end
      // of it and take more, some megabytes for each response, for which V8 looks through its whole heap all the time.
      // oxlint-disable-next-line no-underscore-dangle -- there is no public method; where it has another name, nothing is lost but memory
      if (gunzip.readableLength === 0) gunzip._outOffset = 0
      goOn()
    })
  }
  return {
    add(chunk) {
      compressed += chunk.length
      waiting.add(chunk)
      goOn()
    },
    async end() {
      ended = true
      goOn()
      await inflated
      finish()
    },
    close: () => gunzip.destroy(),
  }
}
