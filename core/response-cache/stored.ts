/** Bytes of all responses that are stored or in flight, and a limit for them. */
export type Memory = ReturnType<typeof boundedMemory>

/** `makeRoom` drops something that can be had again; false where there is nothing left. What it drops may still be in use. */
export function boundedMemory(limit: number, makeRoom: () => boolean) {
  return {
    used: 0,
    limit,
    /** False where there is no room, whatever was dropped for it. */
    take(bytes: number): boolean {
      while (this.used + bytes > this.limit) if (!makeRoom()) return false
      this.used += bytes
      return true
    },
    give(bytes: number): void {
      this.used -= bytes
    },
  }
}

/** A whole good response in one piece. Its bytes count until the cache has released it and its last reader is done. */
export class StoredResponse {
  /** When its upstream request began, in milliseconds. */
  readonly started: number
  /** Names and values in turn. */
  readonly headers: readonly string[]
  readonly content: Buffer
  readonly series: number
  /** How often it was requested since it is stored. */
  requests = 0
  /** The cache, and the readers. */
  #holders = 1
  readonly #memory: Memory

  constructor(started: number, headers: readonly string[], content: Buffer, series: number, memory: Memory) {
    this.started = started
    this.headers = [...headers, "content-length", String(content.length)]
    this.content = content
    this.series = series
    this.#memory = memory
  }

  hold(): void {
    this.#holders++
  }

  release(): void {
    if (--this.#holders === 0) this.#memory.give(this.content.length)
  }
}
