const FIRST_CAPACITY = 1024

/** Parts of a message, as where they begin and end: numbers side by side, no object for each. */
export class Spans {
  starts = new Int32Array(FIRST_CAPACITY)
  ends = new Int32Array(FIRST_CAPACITY)
  length = 0

  add(start: number, end: number): void {
    if (this.length === this.starts.length) this.#grow()
    this.starts[this.length] = start
    this.ends[this.length++] = end
  }

  /** What was there before is given back at once. */
  #grow(): void {
    const bytes = 2 * this.starts.byteLength
    this.starts = new Int32Array(this.starts.buffer.transfer(bytes))
    this.ends = new Int32Array(this.ends.buffer.transfer(bytes))
  }
}
