import { isUtf8 } from "node:buffer"
import { LENGTH, type WireReader } from "../../wire/wire.ts"

/** Of a series. Upstreams accept some dozens. */
export const MOST_LABELS = 1000
/** Bytes of a name or value that become text, for a person. */
const MOST_SHOWN = 1000

/** Labels of a series, as where their names and values stand in the message. */
export class LabelPositions {
  length = 0
  /** Four for each label: name and value, their start and end. */
  readonly #positions = new Int32Array(4 * MOST_LABELS)
  readonly #bytes: Buffer

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  /** Those beyond the most are left out. */
  add(nameStart: number, nameEnd: number, valueStart: number, valueEnd: number): void {
    if (this.length === MOST_LABELS) return
    const at = 4 * this.length++
    this.#positions[at] = nameStart
    this.#positions[at + 1] = nameEnd
    this.#positions[at + 2] = valueStart
    this.#positions[at + 3] = valueEnd
  }

  name(index: number): string {
    return this.#text(4 * index)
  }

  value(index: number): string {
    return this.#text(4 * index + 2)
  }

  /** For a person; what is long is cut. */
  *shown(): Generator<readonly [name: string, value: string]> {
    for (let index = 0; index < this.length; index++) yield [this.name(index), this.value(index)]
  }

  /** Index of the first label whose name or value is no UTF-8, or -1. */
  notUtf8(): number {
    for (let at = 0; at < 4 * this.length; at += 2) {
      const [start, end] = [this.#positions[at] as number, this.#positions[at + 1] as number]
      if (!isUtf8Between(this.#bytes, start, end)) return at >> 2
    }
    return -1
  }

  nameless(): boolean {
    for (let at = 0; at < 4 * this.length; at += 4) if (this.#positions[at] === this.#positions[at + 1]) return true
    return false
  }

  /** Index of the first label whose name another one before it has, or -1. */
  duplicate(): number {
    if (this.length > 40) return this.#duplicateOfMany()
    for (let index = 1; index < this.length; index++) {
      for (let other = 0; other < index; other++) if (this.#sameName(index, other)) return index
    }
    return -1
  }

  #duplicateOfMany(): number {
    const seen = new Set<string>()
    for (let index = 0; index < this.length; index++) {
      const [start, end] = [this.#positions[4 * index], this.#positions[4 * index + 1]]
      const name = this.#bytes.toString("latin1", start, end)
      if (seen.has(name)) return index
      seen.add(name)
    }
    return -1
  }

  #sameName(index: number, other: number): boolean {
    const start = this.#positions[4 * index] as number
    const length = (this.#positions[4 * index + 1] as number) - start
    const otherStart = this.#positions[4 * other] as number
    if ((this.#positions[4 * other + 1] as number) - otherStart !== length) return false
    for (let at = 0; at < length; at++) {
      if (this.#bytes[start + at] !== this.#bytes[otherStart + at]) return false
    }
    return true
  }

  #text(at: number): string {
    const start = this.#positions[at] as number
    const end = this.#positions[at + 1] as number
    return this.#bytes.toString("utf8", start, Math.min(end, start + MOST_SHOWN))
  }
}

export function isAscii(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if ((bytes[at] as number) >= 0x80) return false
  return true
}

/** As `isUtf8` of Node decides, which for texts of some bytes takes much longer. */
export function isUtf8Between(bytes: Buffer, start: number, end: number): boolean {
  if (end - start > 200) return isUtf8(bytes.subarray(start, end))
  for (let at = start; at < end;) {
    const lead = bytes[at++] as number
    if (lead < 0x80) continue
    const more = lead < 0xc2 ? 0 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : lead < 0xf5 ? 3 : 0
    if (more === 0 || at + more > end) return false
    const next = bytes[at] as number
    // no longer than need be, no halves of pairs, nothing beyond the last character
    const least = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80
    const most = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf
    if (next < least || next > most) return false
    for (let index = 1; index < more; index++) if (((bytes[at + index] as number) & 0xc0) !== 0x80) return false
    at += more
  }
  return true
}

/** Where the name and the value of a label stand; without them they are empty. */
export class LabelReader {
  nameStart = 0
  nameEnd = 0
  valueStart = 0
  valueEnd = 0

  /** Of what the reader has just read, which is a label. Of fields that come twice, the last one is the label's. */
  read(reader: WireReader): void {
    reader.require(LENGTH)
    const { start, at, end } = reader
    this.nameStart = this.nameEnd = this.valueStart = this.valueEnd = start
    reader.enter(start, at)
    while (reader.next()) {
      if (reader.field === 1) {
        reader.require(LENGTH)
        this.nameStart = reader.start
        this.nameEnd = reader.at
      } else if (reader.field === 2) {
        reader.require(LENGTH)
        this.valueStart = reader.start
        this.valueEnd = reader.at
      }
    }
    reader.enter(at, end)
  }
}
