import { memoryFull } from "../errors.ts"
import type { Accepted } from "../upstream/answer.ts"
import type { Sink } from "../upstream/intake.ts"
import type { Memory } from "./memory.ts"

/** One chunk, and what came after it. Each reader goes along this chain by itself, so what all have read is freed. */
export interface Link {
  readonly chunk: Buffer
  next: Link | undefined
}

/** Is told of the first byte and the end at once, and in between of a step at a time. */
export type Reader = () => void

export type State =
  | { readonly kind: "growing" }
  | { readonly kind: "whole" }
  /** With an error of errors.ts. */
  | { readonly kind: "failed"; readonly error: unknown }

/** Prometheus writes pieces of 4 KB: passed on one by one, each would cost a turn for everybody who waits. */
const STEP = 2 ** 14
/** Milliseconds until less than a step is passed on, too. */
const PATIENCE = 5

/** An answer that is under way from upstream, for everybody who asked for it meanwhile. */
export class Body implements Sink {
  answer: Accepted | undefined
  bytes = 0
  series = 0
  state: State = { kind: "growing" }
  /** How many came to read it. */
  readers = 0
  #first: Link | undefined = { chunk: Buffer.alloc(0), next: undefined }
  #last: Link | undefined = this.#first
  readonly #present = new Set<Reader>()
  readonly #memory: Memory
  readonly #abandoned: () => void
  #waking = false
  #held = 0
  /** Bytes of which the readers were told. */
  #told = 0
  #later: NodeJS.Timeout | undefined

  /** `abandoned` is called when the last reader has left an answer that is still growing. */
  constructor(memory: Memory, abandoned: () => void) {
    this.#memory = memory
    this.#abandoned = abandoned
  }

  /** The start of the chain: the chunks are those after it. Not for one that has ended. */
  join(reader: Reader): Link {
    if (this.#first === undefined) throw new Error("joined an answer that has ended")
    this.readers++
    this.#present.add(reader)
    return this.#first
  }

  /** A reader has got all it will get. */
  leave(reader: Reader): void {
    if (!this.#present.delete(reader) || this.#present.size > 0) return
    if (this.state.kind === "growing") this.#abandoned()
    else this.#release()
  }

  begin(answer: Accepted): void {
    this.answer = answer
    this.#wake()
  }

  add(chunk: Buffer): void {
    if (this.#last === undefined) return
    if (!this.#memory.take(chunk.length)) throw memoryFull({})
    this.#held += chunk.length
    this.bytes += chunk.length
    this.#last = this.#last.next = { chunk, next: undefined }
    if (this.#told === 0 || this.bytes - this.#told >= STEP) this.#wake()
    else this.#later ??= setTimeout(() => this.#wake(), PATIENCE)
  }

  setSeries(series: number): void {
    this.series = series
  }

  /** All of it in one piece, as long as nobody has ended it. */
  joined(): Buffer {
    const chunks: Buffer[] = []
    for (let link = this.#first; link !== undefined; link = link.next) chunks.push(link.chunk)
    return Buffer.concat(chunks)
  }

  end(state: State): void {
    this.state = state
    this.#first = this.#last = undefined
    if (this.#present.size === 0) this.#release()
    this.#wake()
  }

  #release(): void {
    this.#memory.give(this.#held)
    this.#held = 0
  }

  #wake(): void {
    clearTimeout(this.#later)
    this.#later = undefined
    this.#told = this.bytes
    if (this.#waking) return
    this.#waking = true
    queueMicrotask(() => {
      this.#waking = false
      for (const reader of this.#present) reader()
    })
  }
}
