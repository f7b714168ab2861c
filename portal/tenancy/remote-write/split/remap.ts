import type { Output } from "./output.ts"
import type { Symbols } from "./symbols.ts"

const SYMBOL_TAG = 0x22

/** Room for tag and length of a symbol. */
const MOST_HEAD = 6

const RESTART = 2 ** 30

/**
 * References of one message in another one. A symbol is written there when the first reference to it is, so no symbol
 * comes along that no series has.
 */
export class Remap {
  readonly #symbols: Symbols
  /** By reference: the new one plus `#offset`, where it is at least `#floor`; else it is of a message before. */
  readonly #numbers: Int32Array
  #next = 1
  #floor = 1
  #offset = 0
  #out: Output

  constructor(symbols: Symbols, out: Output) {
    this.#symbols = symbols
    this.#numbers = new Int32Array(symbols.count)
    this.#out = out
  }

  /** Begins a message whose next symbol is `first`. */
  begin(first: number): void {
    if (this.#next >= RESTART) {
      this.#numbers.fill(0)
      this.#next = 1
    }
    this.#floor = this.#next
    this.#offset = this.#next - first
  }

  /** Symbols of the message, with those before it. */
  get symbols(): number {
    return this.#next - this.#offset
  }

  of(reference: number): number {
    const number = this.#numbers[reference] as number
    return number >= this.#floor ? number - this.#offset : this.#add(reference)
  }

  #add(reference: number): number {
    const { bytes, starts, ends } = this.#symbols
    const [start, end] = [starts[reference] as number, ends[reference] as number]
    if (start === end) return 0
    const out = this.#out
    out.reserve(MOST_HEAD + end - start)
    const length = end - start
    // as a rule its tag and its length, a byte each, stand before it already
    if (length < 0x80 && bytes[start - 2] === SYMBOL_TAG) out.copy(bytes, start - 2, end)
    else {
      out.byte(SYMBOL_TAG)
      out.varint(length)
      out.copy(bytes, start, end)
    }
    this.#numbers[reference] = this.#next
    return this.#next++ - this.#offset
  }
}
