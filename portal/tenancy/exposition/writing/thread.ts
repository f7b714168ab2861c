import { parentPort } from "node:worker_threads"
import { FedstackError } from "#core/errors.ts"
import { type Metadata, merged } from "../format/metadata.ts"
import { openFormat } from "../format/negotiate.ts"
import { decodePage } from "../store/read-response.ts"
import { openBody } from "./body.ts"
import {
  type FromThread,
  movable,
  type PageBlock,
  type PlainError,
  type ResponseOptions,
  type ToThread,
} from "./messages.ts"
import { type TenantPage, writePages } from "./write.ts"

/** Bytes of a response that are on their way to the thread that sends them. */
const WINDOW = 2 ** 20

interface OpenResponse {
  write(blocks: readonly PageBlock[]): Promise<void>
  end(): Promise<void>
  received(bytes: number): void
  cancel(): void
}

const known = new Map<number, Metadata>()
const open = new Map<number, OpenResponse>()

function send(message: FromThread, moved: readonly ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, moved)
}

function openResponse(
  id: number,
  { wanted, timestamps, gzip, series }: ResponseOptions,
  metadata: Metadata,
): OpenResponse {
  const format = openFormat(wanted, timestamps)
  let cancelled = false
  let busy = false
  let underWay = 0
  let goOn: (() => void) | undefined
  const requireWanted = (): void => {
    if (cancelled) throw new Error("the rest of the response is not wanted")
  }
  const sink = {
    series: 0,
    add(bytes: Uint8Array): void {
      requireWanted()
      const chunk = movable(bytes)
      underWay += chunk.length
      send({ kind: "chunk", id, chunk, series: sink.series }, [chunk.buffer])
    },
    room(): Promise<void> | undefined {
      requireWanted()
      if (underWay <= WINDOW) return undefined
      const { promise, resolve } = Promise.withResolvers<void>()
      goOn = resolve
      return promise
    },
  }
  const body = openBody(sink, gzip)
  const close = (): void => {
    open.delete(id)
    body.close()
  }
  /** One after the other: what is next is sent when this is done. */
  const step = async (work: () => Promise<number>): Promise<void> => {
    busy = true
    try {
      const read = await work()
      send({ kind: "done", id, series: sink.series, read })
      if (cancelled) close()
    } catch (error) {
      close()
      send({ kind: "failed", id, error: plain(error) })
    }
    busy = false
  }
  return {
    write: (blocks) =>
      step(async () => {
        const pages: TenantPage[] = []
        try {
          for (const { block, label } of blocks) {
            pages.push({ ...decodePage(Buffer.from(block.buffer)), label })
            free(block)
          }
          await writePages(pages, metadata, format, body, sink, series)
        } finally {
          for (const { message } of pages) free(message)
        }
        return pages.reduce((sum, page) => sum + page.series, 0)
      }),
    end: () =>
      step(async () => {
        await body.write(format.end)
        await body.end()
        close()
        return 0
      }),
    received(bytes) {
      underWay -= bytes
      if (underWay <= WINDOW) goOn?.()
    },
    cancel() {
      cancelled = true
      goOn?.()
      if (!busy) close()
    },
  }
}

/** At once: garbage outside of V8's heap is collected late, and several pages of it are what the memory must not take. */
function free({ buffer, byteLength }: Uint8Array): void {
  // not where it is a part of what others have parts of
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0)
}

function plain(error: unknown): PlainError {
  if (error instanceof FedstackError) return { code: error.code, status: error.status, message: error.message }
  return error instanceof Error ? error : new Error(String(error))
}

parentPort?.on("message", (message: ToThread) => {
  const { id } = message
  switch (message.kind) {
    case "metadata":
      return void known.set(id, message.metadata)
    case "forget":
      return void known.delete(id)
    case "open": {
      const metadata = message.metadata.map((one) => known.get(one) ?? new Map())
      return void open.set(id, openResponse(id, message.options, merged(metadata)))
    }
    case "page":
      return void open.get(id)?.write(message.blocks)
    case "end":
      return void open.get(id)?.end()
    case "received":
      return open.get(id)?.received(message.bytes)
    case "cancel":
      return open.get(id)?.cancel()
  }
})
send({ kind: "ready" })
