/**
 * Names that stood in the same message before, of series with the same target: no text is made of them again. It forgets
 * where two meet in one place, so that what is not found may have been there.
 */
export class SeenNames<Target extends object> {
  readonly #message: Uint8Array
  readonly #starts: Int32Array
  readonly #ends: Int32Array
  readonly #targets: (Target | undefined)[] = []

  /** `slots` is a power of two. */
  constructor(message: Uint8Array, slots = 1024) {
    this.#message = message
    this.#starts = new Int32Array(slots)
    this.#ends = new Int32Array(slots)
  }

  /** Whether it stood there before; from now on it did. `number` tells most targets apart. */
  add(start: number, end: number, target: Target, number: number): boolean {
    const slot = this.#slotOf(start, end, number)
    if (this.#targets[slot] === target && this.#isSame(slot, start, end)) return true
    this.#targets[slot] = target
    this.#starts[slot] = start
    this.#ends[slot] = end
    return false
  }

  #slotOf(start: number, end: number, number: number): number {
    let hash = (end - start) ^ Math.imul(number + 1, 0x9e3779b1)
    for (let at = start; at < end; at += 3) hash = Math.imul(hash ^ (this.#message[at] as number), 16777619)
    return (hash ^ (hash >>> 15)) & (this.#starts.length - 1)
  }

  #isSame(slot: number, start: number, end: number): boolean {
    let other = this.#starts[slot] as number
    if ((this.#ends[slot] as number) - other !== end - start) return false
    const message = this.#message
    for (let at = start; at < end; at++) if (message[at] !== message[other++]) return false
    return true
  }
}
