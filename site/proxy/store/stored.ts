import type { Memory } from "./memory.ts"

/** A whole good answer in one piece. Its bytes count until it was dropped and its last reader is done. */
export class Stored {
  /** When its upstream request began, in milliseconds. */
  readonly started: number
  /** Names and values in turn. */
  readonly headers: readonly string[]
  readonly content: Buffer
  readonly series: number
  /** How often it was asked for since it is stored. */
  asked = 0
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
