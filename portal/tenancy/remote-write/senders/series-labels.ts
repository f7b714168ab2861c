import type { LabelName } from "./label-names.ts"

/** Of a series; upstreams accept some dozens. */
export const MOST_LABELS = 1000

/** The labels of a series as it was sent, used again for the next one: names, and where in the message their values stand. */
export class SeriesLabels {
  readonly bytes: Buffer
  length = 0
  #before = 0
  #same = true
  readonly names: LabelName[] = []
  readonly starts: number[] = []
  readonly ends: number[] = []
  /** Of version 2: references to the symbols of name and value. */
  readonly nameRefs: number[] = []
  readonly valueRefs: number[] = []

  constructor(bytes: Buffer) {
    this.bytes = bytes
  }

  /** Of the next series. */
  reset(): void {
    this.#before = this.length
    this.#same = true
    this.length = 0
  }

  /** Whether they have the names of the series before, in the same order, as most have. */
  get sameNames(): boolean {
    return this.#same && this.length === this.#before
  }

  /** Those beyond the most are only counted: such a series is set aside. */
  add(name: LabelName, start: number, end: number, nameRef = 0, valueRef = 0): void {
    const index = this.length++
    if (index > MOST_LABELS) return
    if (this.names[index] !== name) {
      this.#same = false
      this.names[index] = name
    }
    this.starts[index] = start
    this.ends[index] = end
    this.nameRefs[index] = nameRef
    this.valueRefs[index] = valueRef
  }

  isEmpty(index: number): boolean {
    return this.starts[index] === this.ends[index]
  }

  value(index: number): string {
    return this.bytes.toString("utf8", this.starts[index], this.ends[index])
  }

  endsWith(index: number, ending: Buffer): boolean {
    const end = this.ends[index] ?? 0
    const start = end - ending.length
    return start >= (this.starts[index] ?? 0) && this.bytes.compare(ending, 0, ending.length, start, end) === 0
  }

  hasValue(index: number, value: Buffer): boolean {
    const start = this.starts[index] ?? 0
    const end = this.ends[index] ?? 0
    return end - start === value.length && this.bytes.compare(value, 0, value.length, start, end) === 0
  }

  /** Of a label by its name as it was sent; the empty text where there is none. */
  find(name: string): number {
    for (let index = 0; index < this.length; index++) if (this.names[index]?.text === name) return index
    return -1
  }

  /** For a person. */
  *shown(): Generator<readonly [name: string, value: string]> {
    for (let index = 0; index < Math.min(this.length, MOST_LABELS); index++) {
      const end = Math.min(this.ends[index] ?? 0, (this.starts[index] ?? 0) + 1000)
      yield [this.names[index]?.text ?? "", this.bytes.toString("utf8", this.starts[index], end)]
    }
  }
}
