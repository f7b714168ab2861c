import { Worker } from "node:worker_threads"
import { LRUCache } from "lru-cache"
import type { Closable } from "#core/closable.ts"
import { explain, FedstackError } from "#core/errors.ts"
import { logChanges } from "#core/log/changes.ts"
import type { Logger } from "#core/log/logger.ts"
import type { ResponseSink } from "#core/response-cache/growing.ts"
import { cannotWrite } from "../errors.ts"
import type { Metadata } from "../format/metadata.ts"
import type { ExpositionMetrics } from "../metrics.ts"
import {
  type FromThread,
  movable,
  type PageBlock,
  type PlainError,
  type ResponseOptions,
  type ToThread,
} from "./messages.ts"

const THREAD = new URL("thread.ts", import.meta.url)
/** Of which the thread has the metadata: tenants, and families of all of them. */
const KEPT = 100
const FAMILIES_KEPT = 50_000
/** Milliseconds that it may take to leave a response that is not wanted any more; beyond, it hangs. */
const PATIENCE = 10_000

/** Writes one response, a page after the other. */
export interface ResponseWriter extends Disposable {
  /** Resolves when the page is written and its memory is free, also where the signal is aborted meanwhile: then it rejects. */
  write(page: readonly PageBlock[]): Promise<void>
  /** Resolves when all of it is in the sink. */
  end(): Promise<void>
}

/** Where a response goes; `begin` is called before the first byte, and when the first page proved good. */
export interface WriterSink extends Pick<ResponseSink, "add"> {
  begin(): void
  /** So many series are written so far. */
  count(series: number): void
}

interface OpenResponse {
  readonly sink: WriterSink
  /** What the sink threw. */
  failure: unknown
  pending: PromiseWithResolvers<void> | undefined
  /** Since it is not wanted any more. */
  timer: NodeJS.Timeout | undefined
}

interface WriterOptions {
  readonly metrics: Pick<ExpositionMetrics, "seriesRead" | "writerFailures">
  readonly log: Logger
  /** Others in tests. */
  readonly thread?: URL
  readonly patience?: number
}

/**
 * Decodes and writes pages in a thread of its own, so that neither other clients nor health checks wait for it. It is started
 * with the first response. Where it ends by itself, what it was writing fails with CANNOT_WRITE, and the next response starts
 * it again.
 */
export function openWriters({ metrics, log, thread = THREAD, patience = PATIENCE }: WriterOptions) {
  const open = new Map<number, OpenResponse>()
  let worker: Worker | undefined
  let last = 0
  const known = new LRUCache<Metadata, number>({
    max: KEPT,
    maxSize: FAMILIES_KEPT,
    sizeCalculation: (_, { size }) => 1 + size,
    dispose: (id) => post({ kind: "forget", id }),
  })
  const fails = logChanges((reason: string | undefined) => {
    if (reason === undefined) log.info({}, "the thread that writes responses is started again")
    else log.error({ reason }, "the thread that writes responses ended, the responses that it was writing fail")
  })

  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- that is for windows
  const post = (message: ToThread, moved: readonly ArrayBuffer[] = []): void => worker?.postMessage(message, moved)

  function start(): Worker {
    const made = new Worker(thread)
    made.on("message", (message: FromThread) => {
      if (made === worker) received(message)
    })
    // an error may overtake messages, the end does not
    let reason: string | undefined
    made.on("error", (error) => (reason = explain(error)))
    made.on("exit", (code) => {
      if (made === worker) ended(reason ?? `exit code ${code}`)
    })
    made.unref() // after listening, which would undo it
    return made
  }

  function ended(reason: string): void {
    void worker?.terminate()
    worker = undefined
    known.clear()
    metrics.writerFailures.inc()
    fails(reason)
    for (const id of open.keys()) over(id, cannotWrite({}))
  }

  function over(id: number, error: unknown): void {
    const response = open.get(id)
    open.delete(id)
    if (response === undefined) return
    clearTimeout(response.timer)
    response.failure ??= error
    response.pending?.reject(response.failure)
  }

  function received(message: FromThread): void {
    if (message.kind === "ready") return fails(undefined)
    const { id } = message
    if (message.kind === "failed") return over(id, errorOf(message.error))
    const response = open.get(id)
    if (response === undefined) return
    response.sink.count(message.series)
    if (message.kind === "chunk") return add(id, response, message.chunk)
    metrics.seriesRead.inc(message.read)
    const { pending, failure } = response
    if (failure !== undefined) return over(id, failure)
    response.pending = undefined
    response.sink.begin()
    pending?.resolve()
  }

  function add(id: number, response: OpenResponse, { buffer, byteOffset, byteLength }: Uint8Array): void {
    if (response.failure !== undefined) return
    try {
      response.sink.begin()
      response.sink.add(Buffer.from(buffer, byteOffset, byteLength))
      post({ kind: "received", id, bytes: byteLength })
    } catch (error) {
      cancel(id, response, error)
    }
  }

  /** What is being written is over when the thread has left it. */
  function cancel(id: number, response: OpenResponse, reason: unknown): void {
    if (response.failure !== undefined) return
    response.failure = reason
    post({ kind: "cancel", id })
    if (response.pending !== undefined) response.timer = setTimeout(() => ended("it hangs"), patience).unref()
  }

  /** The thread gets what it does not know yet. */
  function numberOf(metadata: Metadata): number {
    const found = known.get(metadata)
    if (found !== undefined) return found
    const id = ++last
    post({ kind: "metadata", id, metadata })
    known.set(metadata, id)
    return id
  }

  /** `metadata`: of each tenant. When `signal` is aborted, the rest is not wanted. */
  function openWriter(
    options: ResponseOptions,
    metadata: readonly Metadata[],
    sink: WriterSink,
    signal: AbortSignal,
  ): ResponseWriter {
    signal.throwIfAborted()
    try {
      worker ??= start()
    } catch (error) {
      ended(explain(error))
      throw cannotWrite({})
    }
    const id = ++last
    const response: OpenResponse = { sink, failure: undefined, pending: undefined, timer: undefined }
    open.set(id, response)
    const numbers = metadata.map(numberOf)
    post({ kind: "open", id, options, metadata: numbers })
    // what is too large to be kept there is there for this response
    for (const [index, one] of metadata.entries()) {
      if (!known.has(one)) post({ kind: "forget", id: numbers[index] ?? 0 })
    }
    const abort = (): void => cancel(id, response, signal.reason)
    signal.addEventListener("abort", abort, { once: true })
    const step = (message: ToThread, moved: readonly ArrayBuffer[] = []): Promise<void> => {
      if (response.failure !== undefined) return Promise.reject(response.failure)
      response.pending = Promise.withResolvers()
      post(message, moved)
      return response.pending.promise
    }
    return {
      write(page) {
        const blocks = page.map(({ block, label }) => ({ block: movable(block), label }))
        return step(
          { kind: "page", id, blocks },
          blocks.map(({ block }) => block.buffer),
        )
      },
      end: () => step({ kind: "end", id }).then(() => void open.delete(id)),
      [Symbol.dispose]() {
        signal.removeEventListener("abort", abort)
        if (open.delete(id)) post({ kind: "cancel", id })
      },
    }
  }

  return {
    open: openWriter,
    async close(): Promise<void> {
      const ending = worker
      worker = undefined
      for (const id of open.keys()) over(id, cannotWrite({}))
      await ending?.terminate()
    },
  } satisfies Closable & { open: typeof openWriter }
}

function errorOf(error: PlainError): Error {
  return error instanceof Error ? error : new FedstackError(error.code, error.status, error.message)
}
