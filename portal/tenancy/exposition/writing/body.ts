import { once } from "node:events"
import { createGzip, type Gzip } from "node:zlib"

/** Characters that are worth a chunk. */
const PIECE = 65_536
/** Bytes that wait for the compressor, so that it works while more is written. */
const AHEAD = 4 * PIECE
/** Three times as fast as zlib's default, for a few percent more bytes: a client that waits for metrics waits for this. */
const LEVEL = 1

const OPTIONS = { level: LEVEL, chunkSize: PIECE, highWaterMark: AHEAD }

/** Where the bytes of a response go. */
export interface BodySink {
  add(chunk: Buffer): void
  /** Resolves when there is room for more; undefined where there is. */
  room(): Promise<void> | undefined
}

/** Writes text to a sink as it comes, compressed where that was requested. What throws in the sink rejects the next call. */
export function openBody(sink: BodySink, gzip: boolean) {
  const compressor = gzip ? createGzip(OPTIONS) : undefined
  let failure: unknown
  let text = ""
  compressor?.on("data", (chunk: Buffer) => {
    try {
      sink.add(chunk)
    } catch (error) {
      failure ??= error
      compressor.destroy()
    }
  })
  const flush = async (): Promise<void> => {
    if (text === "") return
    const chunk = Buffer.from(text)
    text = ""
    await send(chunk)
  }
  const send = async (chunk: Buffer): Promise<void> => {
    if (failure !== undefined) throw failure
    if (compressor === undefined) sink.add(chunk)
    else if (!compressor.write(chunk)) await drained(compressor)
    await sink.room()
    if (failure !== undefined) throw failure
  }
  return {
    /** Undefined where the next piece need not wait: most are small. */
    write(piece: string | Uint8Array): Promise<void> | undefined {
      if (typeof piece !== "string") return flush().then(() => send(Buffer.from(piece)))
      text += piece
      return text.length < PIECE ? undefined : flush()
    },
    async end(): Promise<void> {
      await flush()
      if (compressor === undefined) return
      const closed = once(compressor, "close")
      compressor.end()
      await closed
      if (failure !== undefined) throw failure
    },
    close: (): void => void compressor?.destroy(),
  }
}

/** It has room again, or is closed. */
function drained(compressor: Gzip): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const done = (): void => {
    compressor.off("drain", done).off("close", done)
    resolve()
  }
  compressor.on("drain", done).on("close", done)
  return promise
}
