/** Of a name that is kept. Longer ones are never found. */
const MOST_BYTES = 64

/**
 * Names of series that came before with the same target: no text is made of them again. It forgets where two meet in one
 * place, so that what is not found may have come.
 */
export class SeenNames<Target extends object> {
  readonly #names: Uint8Array
  readonly #lengths: Uint8Array
  readonly #targets: (Target | undefined)[]

  /** `slots` is a power of two. */
  constructor(slots = 4096) {
    this.#names = new Uint8Array(MOST_BYTES * slots)
    this.#lengths = new Uint8Array(slots)
    // whole from the start: V8 makes a dictionary of an array that is filled here and there
    this.#targets = Array.from({ length: slots }, () => undefined)
  }

  /** Whether it came before; from now on it did. `number` tells most targets apart. */
  add(message: Uint8Array, start: number, end: number, target: Target, number: number): boolean {
    const length = end - start
    if (length > MOST_BYTES) return false
    const slot = this.#slotOf(message, start, end, number)
    const names = this.#names
    const at = MOST_BYTES * slot - start
    if (this.#targets[slot] === target && this.#lengths[slot] === length) {
      let same = start
      while (same < end && names[at + same] === message[same]) same++
      if (same === end) return true
    }
    this.#targets[slot] = target
    this.#lengths[slot] = length
    for (let index = start; index < end; index++) names[at + index] = message[index] as number
    return false
  }

  #slotOf(message: Uint8Array, start: number, end: number, number: number): number {
    let hash = (end - start) ^ Math.imul(number + 1, 0x9e3779b1)
    for (let at = start; at < end; at += 3) hash = Math.imul(hash ^ (message[at] as number), 16777619)
    return (hash ^ (hash >>> 15)) & (this.#lengths.length - 1)
  }
}
