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

  #grow(): void {
    const [starts, ends] = [this.starts, this.ends]
    this.starts = new Int32Array(2 * this.length)
    this.ends = new Int32Array(2 * this.length)
    this.starts.set(starts)
    this.ends.set(ends)
  }
}
