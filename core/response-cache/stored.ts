/** Bytes of all responses that are stored or in flight, and a limit for them. */
export interface Memory {
  readonly used: number
  /** False where there is no room, whatever was dropped for it. */
  take(bytes: number): boolean
  give(bytes: number): void
  setLimit(bytes: number): void
}

/** `makeRoom` drops something that can be had again; false where there is nothing left. What it drops may still be in use. */
export function boundedMemory(limit: number, makeRoom: () => boolean): Memory {
  let used = 0
  const isFull = (more: number): boolean => used + more > limit
  return {
    get used() {
      return used
    },
    take(bytes) {
      while (isFull(bytes)) if (!makeRoom()) return false
      used += bytes
      return true
    },
    give(bytes) {
      used -= bytes
    },
    setLimit(bytes) {
      limit = bytes
    },
  }
}

/** A whole good response in one piece. Its bytes count until it was dropped and its last reader is done. */
export class StoredResponse {
  /** When its upstream request began, in milliseconds. */
  readonly started: number
  /** Names and values in turn. */
  readonly headers: readonly string[]
  readonly content: Buffer
  readonly series: number
  /** How often it was requested since it is stored. */
  requests = 0
  #readers = 0
  #dropped = false
  readonly #memory: Memory

  constructor(started: number, headers: readonly string[], content: Buffer, series: number, memory: Memory) {
    this.started = started
    this.headers = [...headers, "content-length", String(content.length)]
    this.content = content
    this.series = series
    this.#memory = memory
  }

  hold(): void {
    this.#readers++
  }

  release(): void {
    if (--this.#readers === 0 && this.#dropped) this.#memory.give(this.content.length)
  }

  drop(): void {
    if (this.#dropped) return
    this.#dropped = true
    if (this.#readers === 0) this.#memory.give(this.content.length)
  }
}
