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

  /** Replaces the text of `count` objects by those of others. */
  splice(index: number, count: number, texts: readonly string[]): void {
    const text = this.#text()
    const [begin, end] = [this.#beginOf(index), this.#beginOf(index + count)]
    const inserted = Buffer.from(texts.join(""))
    const grown = inserted.length - (end - begin)
    let at = begin
    const ends = texts.map((each) => (at += Buffer.byteLength(each)))
    this.#ends = [...this.#ends.slice(0, index), ...ends, ...this.#ends.slice(index + count).map((old) => old + grown)]
    if (inserted.equals(text.subarray(begin, end))) return
    this.#changed = Buffer.concat([text.subarray(0, begin), inserted, text.subarray(end)])
  }

  /** Takes the objects from there on away, as a part of their own. */
  split(index: number): Part {
    const text = this.#text()
    const begin = this.#beginOf(index)
    const second = new Part()
    second.#ends = this.#ends.slice(index).map((end) => end - begin)
    second.#changed = text.subarray(begin)
    this.#ends = this.#ends.slice(0, index)
    this.#changed = text.subarray(0, begin)
    return second
  }

  #beginOf(index: number): number {
    return index === 0 ? 0 : (this.#ends[index - 1] ?? 0)
  }

  #text(): Buffer {
    const text = this.#changed ?? inflate(this.#compressed)
    if (this.#added.length === 0) return text
    let end = text.length
    for (const each of this.#added) this.#ends.push((end += Buffer.byteLength(each)))
    this.#changed = Buffer.concat([text, Buffer.from(this.#added.join(""))])
    this.#added = []
    return this.#changed
  }
}

function inflate({ deflated, length }: Compressed): Buffer {
  if (length === 0) return deflated
  return inflateRawSync(deflated, { finishFlush: constants.Z_SYNC_FLUSH, chunkSize: Math.max(length, 64) })
}
