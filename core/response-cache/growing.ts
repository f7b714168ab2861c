import type { HeldResponse, Memory } from "./memory.ts"

/** What comes before the body. */
export interface GrowingHead {
  /** Names and values in turn, without a length. */
  readonly headers: readonly string[]
  /** As announced, in bytes. */
  readonly length: number | undefined
}

/** Where a response from upstream goes while it comes. */
export type ResponseSink = Pick<GrowingResponse, "begin" | "add" | "series">

/** One chunk, and what came after it. Each reader goes along this chain by itself, so what all have read is freed. */
export interface Link {
  readonly chunk: Buffer
  next: Link | undefined
}

export type GrowingState =
  { readonly kind: "growing" } | { readonly kind: "whole" } | { readonly kind: "failed"; readonly error: unknown }

/** Prometheus writes pieces of 4 KB: passed on one by one, each would cost a turn for all clients that wait. */
const STEP = 2 ** 14
/** Milliseconds until less than a step is passed on, too. */
const STEP_DELAY = 5

/** A response in flight from upstream, for all clients that requested it meanwhile. */
export class GrowingResponse implements HeldResponse {
  head: GrowingHead | undefined
  bytes = 0
  /** So far; it only grows. */
  series = 0
  state: GrowingState = { kind: "growing" }
  /** How many came to read it. */
  demand = 0
  #first: Link | undefined = { chunk: Buffer.alloc(0), next: undefined }
  #last: Link | undefined = this.#first
  /** With the name of the client that each reads for. */
  readonly #present = new Map<() => void, string | undefined>()
  readonly #memory: Memory
  readonly #overhead: number
  /** Bytes that were taken and not given back. */
  held = 0
  readonly abandon: (error?: Error) => void
  #waking = false
  /** Of which the readers were informed. */
  #shownBytes = 0
  #later: NodeJS.Timeout | undefined

  /**
   * `abandon` ends it; it is called when the last reader has left a response that is still growing. `overhead`: bytes that it
   * takes besides its body as soon as it is read.
   */
  constructor(memory: Memory, abandon: (error?: Error) => void, overhead = 0) {
    this.#memory = memory
    this.abandon = abandon
    this.#overhead = overhead
  }

  get readers(): ReadonlySet<string> {
    return new Set([...this.#present.values()].filter((name) => name !== undefined))
  }

  /**
   * The start of the chain: the chunks are those after it. Not for one that has ended. The reader is called at the first
   * byte and at the end at once, and in between a step at a time. `name`: of the client whose memory it takes; without one, it
   * takes what has no reader.
   */
  join(reader: () => void, name?: string): Link {
    const start = this.#first
    if (start === undefined) throw new Error("joined a response that has ended")
    this.demand++
    this.#present.set(reader, name)
    this.#memory.held.add(this)
    try {
      if (this.held === 0) this.#take(this.#overhead)
    } catch (error) {
      this.abandon(error as Error)
    }
    return start
  }

  /** A reader has got all it will get. */
  leave(reader: () => void): void {
    if (!this.#present.delete(reader) || this.#present.size > 0) return
    if (this.state.kind === "growing") this.abandon()
    else this.#giveAll()
  }

  /** Also what has ended and is still being read. */
  evict(error: Error): void {
    if (this.state.kind === "growing") this.abandon(error)
    else this.state = { kind: "failed", error }
    this.#giveAll()
    this.#wake()
  }

  begin(head: GrowingHead): void {
    this.head = head
    this.#wake()
  }

  /** Throws where there is no room for it. */
  add(chunk: Buffer): void {
    if (this.#last === undefined) return
    this.#take(chunk.length)
    this.bytes += chunk.length
    this.#last = this.#last.next = { chunk, next: undefined }
    if (this.#shownBytes === 0 || this.bytes - this.#shownBytes >= STEP) this.#wake()
    else this.#later ??= setTimeout(() => this.#wake(), STEP_DELAY)
  }

  /** All of it in one piece, before its end. */
  joined(): Buffer {
    const chunks: Buffer[] = []
    for (let link = this.#first; link !== undefined; link = link.next) chunks.push(link.chunk)
    return Buffer.concat(chunks)
  }

  /** The first call alone counts. */
  end(state: GrowingState): void {
    if (this.state.kind !== "growing") return
    this.state = state
    this.#first = this.#last = undefined
    if (this.#present.size === 0) this.#giveAll()
    this.#wake()
  }

  #take(bytes: number): void {
    this.#memory.takeFor(this, bytes)
    this.held += bytes
  }

  #giveAll(): void {
    this.#memory.give(this.held)
    this.held = 0
    this.#memory.held.delete(this)
  }

  #wake(): void {
    clearTimeout(this.#later)
    this.#later = undefined
    this.#shownBytes = this.bytes
    if (this.#waking) return
    this.#waking = true
    queueMicrotask(() => {
      this.#waking = false
      for (const reader of this.#present.keys()) reader()
    })
  }
}
