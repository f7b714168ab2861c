/** What a timer and an event loop under load may be late, in milliseconds. */
const SLACK = 25
/** Three mean deviations are seldom exceeded; four, as for TCP, would request more from a busy upstream. */
const DEVIATIONS = 3

/** How long responses take: a mean and a mean deviation in which new ones weigh more, as in TCP (RFC 6298). */
export class LatencyEstimate {
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
