import { memoryFull } from "./errors.ts"
import type { Memory } from "./stored.ts"

/** What comes before the body. */
export interface GrowingHead {
  /** Names and values in turn, without a length. */
  readonly headers: readonly string[]
  /** As announced, in bytes. */
  readonly length: number | undefined
}

/** Where a response from upstream goes while it comes. */
export interface ResponseSink {
  begin(head: GrowingHead): void
  /** Throws where there is no room for it. */
  add(chunk: Buffer): void
  /** So far; it only grows. */
  setSeries(series: number): void
}

/** One chunk, and what came after it. Each reader goes along this chain by itself, so what all have read is freed. */
export interface Link {
  readonly chunk: Buffer
  next: Link | undefined
}

/** Called at the first byte and at the end at once, and in between a step at a time. */
export type ResponseReader = () => void

export type GrowingState =
  { readonly kind: "growing" } | { readonly kind: "whole" } | { readonly kind: "failed"; readonly error: unknown }

/** Prometheus writes pieces of 4 KB: passed on one by one, each would cost a turn for all clients that wait. */
const STEP = 2 ** 14
/** Milliseconds until less than a step is passed on, too. */
const STEP_DELAY = 5

/** A response in flight from upstream, for all clients that requested it meanwhile. */
export class GrowingResponse implements ResponseSink {
  head: GrowingHead | undefined
  bytes = 0
  series = 0
  state: GrowingState = { kind: "growing" }
  /** How many came to read it. */
  readers = 0
  #first: Link | undefined = { chunk: Buffer.alloc(0), next: undefined }
  #last: Link | undefined = this.#first
  readonly #present = new Set<ResponseReader>()
  readonly #memory: Memory
  readonly #abandoned: () => void
  #waking = false
  #takenBytes = 0
  /** Of which the readers were informed. */
  #shownBytes = 0
  #later: NodeJS.Timeout | undefined

  /** `abandoned` is called when the last reader has left a response that is still growing. */
  constructor(memory: Memory, abandoned: () => void) {
    this.#memory = memory
    this.#abandoned = abandoned
  }

  /** The start of the chain: the chunks are those after it. Not for one that has ended. */
  join(reader: ResponseReader): Link {
    if (this.#first === undefined) throw new Error("joined a response that has ended")
    this.readers++
    this.#present.add(reader)
    return this.#first
  }

  /** A reader has got all it will get. */
  leave(reader: ResponseReader): void {
    if (!this.#present.delete(reader) || this.#present.size > 0) return
    if (this.state.kind === "growing") this.#abandoned()
    else this.#release()
  }

  begin(head: GrowingHead): void {
    this.head = head
    this.#wake()
  }

  add(chunk: Buffer): void {
    if (this.#last === undefined) return
    if (!this.#memory.take(chunk.length)) throw memoryFull({})
    this.#takenBytes += chunk.length
    this.bytes += chunk.length
    this.#last = this.#last.next = { chunk, next: undefined }
    if (this.#shownBytes === 0 || this.bytes - this.#shownBytes >= STEP) this.#wake()
    else this.#later ??= setTimeout(() => this.#wake(), STEP_DELAY)
  }

  setSeries(series: number): void {
    this.series = series
  }

  /** All of it in one piece, before its end. */
  joined(): Buffer {
    const chunks: Buffer[] = []
    for (let link = this.#first; link !== undefined; link = link.next) chunks.push(link.chunk)
    return Buffer.concat(chunks)
  }

  end(state: GrowingState): void {
    this.state = state
    this.#first = this.#last = undefined
    if (this.#present.size === 0) this.#release()
    this.#wake()
  }

  #release(): void {
    this.#memory.give(this.#takenBytes)
    this.#takenBytes = 0
  }

  #wake(): void {
    clearTimeout(this.#later)
    this.#later = undefined
    this.#shownBytes = this.bytes
    if (this.#waking) return
    this.#waking = true
    queueMicrotask(() => {
      this.#waking = false
      for (const reader of this.#present) reader()
    })
  }
}
