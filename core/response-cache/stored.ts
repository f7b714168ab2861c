import type { HeldResponse, Memory } from "./memory.ts"

/** Who reads a stored response; `fail` breaks that off. */
export interface StoredReader {
  readonly name: string
  fail(error: unknown): void
}

/** A whole good response in one piece. Its bytes count until the cache has released it and its last reader is done. */
export class StoredResponse implements HeldResponse {
  /** When its upstream request began, in milliseconds. */
  readonly started: number
  /** Names and values in turn. */
  readonly headers: readonly string[]
  readonly content: Buffer
  readonly series: number
  /** With what it takes besides its content. */
  readonly held: number
  /** How often it was requested since it is stored. */
  requests = 0
  #cached = true
  #given = false
  readonly #readers = new Set<StoredReader>()
  readonly #memory: Memory

  /** `overhead` bytes were taken besides those of the content. */
  constructor(
    started: number,
    headers: readonly string[],
    content: Buffer,
    series: number,
    memory: Memory,
    overhead = 0,
  ) {
    this.started = started
    this.headers = [...headers, "content-length", String(content.length)]
    this.content = content
    this.series = series
    this.held = content.length + overhead
    this.#memory = memory
  }

  get readers(): ReadonlySet<string> {
    return new Set([...this.#readers].map(({ name }) => name))
  }

  /** Until `leave` is called. */
  hold(reader: StoredReader): void {
    this.#readers.add(reader)
    this.#memory.held.add(this)
  }

  leave(reader: StoredReader): void {
    this.#readers.delete(reader)
    if (this.#readers.size === 0) this.#memory.held.delete(this)
    this.#giveUnlessUsed()
  }

  /** The cache is done with it. */
  release(): void {
    this.#cached = false
    this.#giveUnlessUsed()
  }

  evict(error: Error): void {
    const readers = [...this.#readers]
    for (const reader of readers) this.leave(reader)
    for (const reader of readers) reader.fail(error)
  }

  #giveUnlessUsed(): void {
    if (this.#cached || this.#given || this.#readers.size > 0) return
    this.#given = true
    this.#memory.give(this.held)
  }
}
