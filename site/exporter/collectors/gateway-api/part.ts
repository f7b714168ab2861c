import { constants, crc32, inflateRawSync } from "node:zlib"
import { deflatePiece } from "../../body.ts"
import { shiftOf } from "./crc.ts"

/** Text as it is kept: a twentieth of its size. */
export interface Compressed {
  /** A deflate stream without its last block, which ends on a whole byte: another can follow. */
  readonly deflated: Buffer
  readonly crc: number
  /** Bytes of the text. */
  readonly length: number
  /** `shiftOf` the length. */
  readonly shift: number
}

const EMPTY: Compressed = { deflated: Buffer.alloc(0), crc: 0, length: 0, shift: shiftOf(0) }

/** The text of one family of some objects that follow one another. */
export class Part {
  /** Where the text of each object ends. */
  #ends: number[] = []
  /** The checksum of each object's text, once one of them changes. */
  #sums: number[] | undefined
  #compressed: Compressed = EMPTY
  /** The text in place of the compressed one, while it changes. */
  #changed: Buffer | undefined
  /** Texts of objects at the end that are not in the text yet: they come one by one while a list is read. */
  #added: string[] = []

  get isEmpty(): boolean {
    return (this.#ends.at(-1) ?? 0) === 0 && this.#added.every((text) => text === "")
  }

  /** Kept until the text changes. */
  compress(): Compressed {
    if (this.#changed !== undefined || this.#added.length > 0) {
      const text = this.#text()
      const { length } = text
      this.#compressed =
        length === 0 ? EMPTY : { deflated: deflatePiece(text), crc: crc32(text), length, shift: shiftOf(length) }
      this.#changed = undefined
    }
    return this.#compressed
  }

  push(text: string): void {
    this.#added.push(text)
  }

  /** Whether the object has this text, to all appearances. */
  has(index: number, text: string): boolean {
    this.#settle()
    const length = (this.#ends[index] ?? 0) - this.#beginOf(index)
    if (length !== Buffer.byteLength(text)) return false
    return length === 0 || this.#allSums()[index] === sumOf(text)
  }

  /** Replaces the text of `count` objects by those of others. */
  splice(index: number, count: number, texts: readonly string[]): void {
    this.#settle()
    const [begin, end] = [this.#beginOf(index), this.#beginOf(index + count)]
    const inserted = Buffer.from(texts.join(""))
    const grown = inserted.length - (end - begin)
    let at = begin
    const ends = texts.map((each) => (at += Buffer.byteLength(each)))
    this.#ends = [...this.#ends.slice(0, index), ...ends, ...this.#ends.slice(index + count).map((old) => old + grown)]
    this.#sums?.splice(index, count, ...texts.map(sumOf))
    if (inserted.length === 0 && begin === end) return
    const text = this.#text()
    this.#changed = Buffer.concat([text.subarray(0, begin), inserted, text.subarray(end)])
  }

  /** Takes the objects from there on away, as a part of their own. */
  split(index: number): Part {
    const text = this.#text()
    const begin = this.#beginOf(index)
    const second = new Part()
    second.#ends = this.#ends.slice(index).map((end) => end - begin)
    second.#sums = this.#sums?.splice(index)
    second.#changed = text.subarray(begin)
    this.#ends = this.#ends.slice(0, index)
    this.#changed = text.subarray(0, begin)
    return second
  }

  #beginOf(index: number): number {
    return index === 0 ? 0 : (this.#ends[index - 1] ?? 0)
  }

  #allSums(): number[] {
    if (this.#sums === undefined) {
      const text = this.#text()
      this.#sums = this.#ends.map((end, index) => sumOf(text.subarray(this.#beginOf(index), end)))
    }
    return this.#sums
  }

  #text(): Buffer {
    this.#settle()
    return this.#changed ?? inflate(this.#compressed)
  }

  /** Puts in what was added. */
  #settle(): void {
    if (this.#added.length === 0) return
    const text = this.#changed ?? inflate(this.#compressed)
    let end = text.length
    for (const each of this.#added) this.#ends.push((end += Buffer.byteLength(each)))
    this.#sums?.push(...this.#added.map(sumOf))
    this.#changed = Buffer.concat([text, Buffer.from(this.#added.join(""))])
    this.#added = []
  }
}

/** As a whole number of 32 bits, which takes no memory of its own. */
function sumOf(text: string | Buffer): number {
  return crc32(text) | 0
}

function inflate({ deflated, length }: Compressed): Buffer {
  if (length === 0) return deflated
  return inflateRawSync(deflated, { finishFlush: constants.Z_SYNC_FLUSH, chunkSize: Math.max(length, 64) })
}
