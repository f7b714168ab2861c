/** What a timer and an event loop under load may be late, in milliseconds. */
const SLACK = 25
/** Three mean deviations are seldom exceeded; four, as for TCP, would ask a busy upstream the more often. */
const DEVIATIONS = 3

/** How long answers take: a mean and a mean deviation, where new ones count the more, as TCP has them (RFC 6298). */
export class Pace {
  #mean: number | undefined
  #deviation = 0

  /** Milliseconds that one took. */
  add(took: number): void {
    if (this.#mean === undefined) {
      this.#mean = took
      this.#deviation = took / 2
      return
    }
    this.#deviation += (Math.abs(took - this.#mean) - this.#deviation) / 4
    this.#mean += (took - this.#mean) / 8
  }

  /** Milliseconds within which the next one can be expected. */
  most(): number {
    return (this.#mean ?? 0) + DEVIATIONS * this.#deviation + SLACK
  }
}
