import { isAscii, isUtf8 } from "node:buffer"
import { MOST_LABELS } from "./labels-v1.ts"
import type { References } from "./references.ts"
import { labelText } from "./series-text.ts"
import type { Spans } from "./spans.ts"

/** The number of the name that every series has. */
export const METRIC_NAME = 1

/** Whose labels they are, for a person. */
interface Owner {
  readonly owner: string
  readonly label: string
}

export const OF_SERIES: Owner = { owner: "it", label: "its label" }
export const OF_EXEMPLAR: Owner = { owner: "an exemplar", label: "an exemplar's label" }

const MOST_SHOWN = 1000

/** The symbols of a message of version 2, in place: where each stands, and what it is as the name of a label. */
export class Symbols {
  readonly bytes: Buffer
  readonly count: number
  readonly starts: Int32Array
  readonly ends: Int32Array
  /** Symbols that are not UTF-8: 1 for each; undefined where all are. */
  readonly malformed: Uint8Array | undefined
  /** Numbers up to this one are of names that were asked for. */
  readonly known: number
  readonly #names = new Map<string, number>()
  readonly #nameOf: Int32Array

  /** `names`: of labels that matter. */
  constructor(bytes: Buffer, spans: Spans, names: readonly string[]) {
    this.bytes = bytes
    this.count = spans.length
    this.starts = spans.starts
    this.ends = spans.ends
    this.malformed = findMalformed(bytes, spans)
    this.#nameOf = new Int32Array(spans.length)
    for (const name of ["__name__", ...names]) this.nameNumber(name)
    this.known = this.#names.size
  }

  /** How many different names there are so far. */
  get names(): number {
    return this.#names.size
  }

  /** Of a symbol as a label's name: the same for all symbols with the same text. */
  nameOf(reference: number): number {
    const known = this.#nameOf[reference] as number
    if (known !== 0) return known
    const number = this.#number(this.key(reference))
    this.#nameOf[reference] = number
    return number
  }

  nameNumber(name: string): number {
    return this.#number(Buffer.from(name).toString("latin1"))
  }

  /** `key` has a character for each byte. */
  #number(key: string): number {
    const known = this.#names.get(key)
    if (known !== undefined) return known
    this.#names.set(key, this.#names.size + 1)
    return this.#names.size
  }

  /** The text with a character for each byte. */
  key(reference: number): string {
    return this.bytes.toString("latin1", this.starts[reference], this.ends[reference])
  }

  isEmpty(reference: number): boolean {
    return this.starts[reference] === this.ends[reference]
  }

  text(reference: number): string {
    return this.bytes.toString("utf8", this.starts[reference], this.ends[reference])
  }

  /** What is wrong with references to names and values of labels, for a person. */
  problemOf({ values, length }: References, { owner, label }: Owner): string | undefined {
    const { count, malformed } = this
    if (length > 2 * MOST_LABELS) return `${owner} has more than ${MOST_LABELS} labels`
    if (length % 2 !== 0) return `${label} has a name without a value: the number of its references is odd`
    for (let index = 0; index < length; index++) {
      const reference = (values[index] as number) >>> 0
      if (reference >= count) return `${label} refers to a symbol that there is not`
      if (malformed?.[reference] === 1) {
        return `${label} ${labelText(this.shown(values[index & ~1] as number))} is not UTF-8`
      }
    }
    return undefined
  }

  /** For a person: the first bytes of a text. */
  shown(reference: number): string {
    const [start, end] = [this.starts[reference] as number, this.ends[reference] as number]
    return this.bytes.toString("utf8", start, Math.min(end, start + MOST_SHOWN))
  }

  /** For a person: those that are sound. */
  *pairs({ values, length }: References): Iterable<readonly [name: string, value: string]> {
    const known = Math.min(length, values.length)
    for (let index = 0; index + 1 < known; index += 2) {
      const [name, value] = [(values[index] as number) >>> 0, (values[index + 1] as number) >>> 0]
      if (name < this.count && value < this.count) yield [this.shown(name), this.shown(value)]
    }
  }
}

function findMalformed(bytes: Buffer, { starts, ends, length: count }: Spans): Uint8Array | undefined {
  // in most messages the symbols stand in a row, are short, and are ASCII: then so are the tags and lengths between them
  if (count === 0 || isAscii(bytes.subarray(starts[0], ends[count - 1]))) return undefined
  let malformed: Uint8Array | undefined
  for (let reference = 0; reference < count; reference++) {
    const [start, end] = [starts[reference] as number, ends[reference] as number]
    let at = start
    while (at < end && (bytes[at] as number) < 0x80) at++
    if (at === end || isUtf8(bytes.subarray(at, end))) continue
    malformed ??= new Uint8Array(count)
    malformed[reference] = 1
  }
  return malformed
}
