import type { WireReader } from "../../wire/wire.ts"
import { References } from "./references.ts"
import { LABELS } from "./series-v2.ts"
import type { Spans } from "./spans.ts"
import type { Symbols } from "./symbols.ts"

const FACTOR = 2 ** 20
const LOW_BITS = 2 ** 21

/** Labels of series as sets: in any order, without those that are stripped and those without a value. */
export class LabelSets {
  readonly #symbols: Symbols
  readonly #same: Int32Array
  readonly #series: Spans
  readonly #reader: WireReader
  readonly #references = new References()
  #pairs = new Float64Array(64)

  /** `same` as `sameSymbols` makes it. */
  constructor(symbols: Symbols, series: Spans, reader: WireReader, same: Int32Array) {
    this.#symbols = symbols
    this.#same = same
    this.#series = series
    this.#reader = reader
  }

  /** Equal for equal sets; sets that are not equal seldom have the same. `strip` is the number of a name, or 0. */
  hash(number: number, strip: number): number {
    let [high, low] = [0, 0]
    for (const pair of this.#read(number, strip)) {
      const name = Math.floor(pair / FACTOR)
      const mixed = mix(Math.imul(name, 0x9e3779b1) ^ mix(pair - name * FACTOR))
      high = (high + mixed) | 0
      low = (low + mix(mixed ^ 0x5bd1e995)) | 0
    }
    return (high >>> 0) * LOW_BITS + ((low >>> 0) % LOW_BITS)
  }

  equal(number: number, strip: number, other: number, otherStrip: number): boolean {
    const pairs = this.#read(number, strip).slice()
    const others = this.#read(other, otherStrip)
    return areSame(pairs, others) || areSame(pairs.toSorted(), others.toSorted())
  }

  /** Name and value of each label as one number; overwritten by the next call. */
  #read(number: number, strip: number): Float64Array {
    const references = this.#references
    references.length = 0
    const reader = this.#reader
    reader.enter(this.#series.starts[number] as number, this.#series.ends[number] as number)
    while (reader.next()) if (reader.field === LABELS) references.add(reader)
    const { values, length } = references
    if (length > this.#pairs.length) this.#pairs = new Float64Array(2 * length)
    const symbols = this.#symbols
    let count = 0
    for (let index = 0; index < length; index += 2) {
      const [name, value] = [values[index] as number, values[index + 1] as number]
      if (symbols.isEmpty(value) || (strip !== 0 && symbols.nameOf(name) === strip)) continue
      this.#pairs[count++] = (this.#same[name] as number) * FACTOR + (this.#same[value] as number)
    }
    return this.#pairs.subarray(0, count)
  }
}

const areSame = (one: Float64Array, other: Float64Array): boolean =>
  one.length === other.length && one.every((value, index) => value === other[index])

function mix(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return mixed ^ (mixed >>> 16)
}
