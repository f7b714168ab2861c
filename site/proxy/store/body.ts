import { memoryFull } from "../errors.ts"
import type { Accepted } from "../upstream/answer.ts"
import type { Sink } from "../upstream/fetch.ts"
import type { Memory } from "./memory.ts"

/** One chunk, and what came after it. Each reader goes along this chain by itself, so what all have read is freed. */
export interface Link {
  readonly chunk: Buffer
  next: Link | undefined
}

/** Is told whenever there is more: once per turn of the event loop, however many chunks came. */
export type Reader = () => void

export type State =
  | { readonly kind: "growing" }
  | { readonly kind: "whole" }
  /** With an error of errors.ts. */
  | { readonly kind: "failed"; readonly error: unknown }

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
    this.#wake()
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
    else this.#wake()
  }

  #release(): void {
    this.#memory.give(this.#held)
    this.#held = 0
  }

  #wake(): void {
    if (this.#waking) return
    this.#waking = true
    queueMicrotask(() => {
      this.#waking = false
      for (const reader of this.#present) reader()
    })
  }
}
