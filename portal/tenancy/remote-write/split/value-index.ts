const MOST_VALUES = 10_000
/** Of the bytes that are kept of an entry: no tenant has a longer name. */
const MOST_BYTES = 400
const SLOTS = 2 ** 15
/** Slots that are looked at: a sender can make up values that all have the same hash. */
const MOST_PROBES = 32

/**
 * Numbers combinations of values by their bytes in a message, so that no text is made of them for each series. It is
 * bounded: what does not fit has no number.
 */
export class ValueIndex {
  length = 0
  readonly #slots = new Int32Array(SLOTS)
  readonly #hashes = new Int32Array(MOST_VALUES)
  readonly #ends = new Int32Array(MOST_VALUES + 1)
  #store = new Uint8Array(2 ** 16)

  /** Whether there is so little room left that a new index serves better. */
  get isFull(): boolean {
    return this.length > MOST_VALUES / 2
  }

  /**
   * `ranges` has four numbers for each value, of which the last two are its start and end; those from `first` on count.
   * Returns -1 for what cannot be kept.
   */
  find(bytes: Uint8Array, ranges: Int32Array, first: number): number {
    let length = 0
    let hash = -2128831035
    for (let at = 4 * first; at < ranges.length; at += 4) {
      const start = ranges[at + 2] as number
      const end = ranges[at + 3] as number
      length += end - start + 2
      if (length > MOST_BYTES) return -1
      hash = Math.imul(hash ^ (end - start), 16777619)
      for (let index = start; index < end; index++) hash = Math.imul(hash ^ (bytes[index] as number), 16777619)
    }
    hash ^= hash >>> 15
    let slot = hash & (SLOTS - 1)
    let probes = 0
    for (let entry = this.#slots[slot] as number; entry !== 0; entry = this.#slots[slot] as number) {
      if (this.#hashes[entry - 1] === hash && this.#isSame(entry - 1, length, bytes, ranges, first)) return entry - 1
      if (++probes === MOST_PROBES) return -1
      slot = (slot + 1) & (SLOTS - 1)
    }
    if (this.length === MOST_VALUES) return -1
    this.#slots[slot] = this.length + 1
    this.#hashes[this.length] = hash
    this.#keep(length, bytes, ranges, first)
    return this.length++
  }

  /** Each value is kept behind its length, of two bytes. */
  #isSame(entry: number, length: number, bytes: Uint8Array, ranges: Int32Array, first: number): boolean {
    const store = this.#store
    let at = this.#ends[entry] as number
    if ((this.#ends[entry + 1] as number) - at !== length) return false
    for (let range = 4 * first; range < ranges.length; range += 4) {
      const start = ranges[range + 2] as number
      const end = ranges[range + 3] as number
      if (store[at] !== ((end - start) & 0xff) || store[at + 1] !== (end - start) >> 8) return false
      at += 2
      for (let index = start; index < end; index++) if (store[at++] !== bytes[index]) return false
    }
    return true
  }

  #keep(length: number, bytes: Uint8Array, ranges: Int32Array, first: number): void {
    let at = this.#ends[this.length] as number
    this.#ends[this.length + 1] = at + length
    if (at + length > this.#store.length) {
      const smaller = this.#store
      this.#store = new Uint8Array(2 * smaller.length)
      this.#store.set(smaller)
    }
    const store = this.#store
    for (let range = 4 * first; range < ranges.length; range += 4) {
      const start = ranges[range + 2] as number
      const end = ranges[range + 3] as number
      store[at++] = end - start
      store[at++] = (end - start) >> 8
      for (let index = start; index < end; index++) store[at++] = bytes[index] as number
    }
  }
}
