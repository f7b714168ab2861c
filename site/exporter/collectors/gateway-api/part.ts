import { constants, deflateRawSync } from "node:zlib"

/** The text of one family of some objects that follow one another, kept plain, and deflated once it was asked for. */
export class Part {
  /** Where the text of each object ends. */
  #ends: number[] = []
  #bytes = Buffer.alloc(0)
  /** Texts of objects at the end that are not among the bytes yet: they come one by one while a list is read. */
  #added: string[] = []
  #deflated: Buffer | undefined

  get bytes(): Buffer {
    if (this.#added.length > 0) {
      const added = Buffer.from(this.#added.join(""))
      let end = this.#bytes.length
      for (const text of this.#added) this.#ends.push((end += Buffer.byteLength(text)))
      this.#bytes = this.#bytes.length === 0 ? added : Buffer.concat([this.#bytes, added])
      this.#added = []
    }
    return this.#bytes
  }

  /** A deflate stream without its last block, which ends on a whole byte: another can follow. Made once. */
  compress(): Buffer {
    this.#deflated ??= deflateRawSync(this.bytes, { level: 5, finishFlush: constants.Z_FULL_FLUSH })
    return this.#deflated
  }

  push(text: string): void {
    this.#added.push(text)
    this.#deflated = undefined
  }

  /** Replaces the text of `count` objects by those of others. False where that changes no byte, nor their number. */
  splice(index: number, count: number, texts: readonly string[]): boolean {
    const { bytes } = this
    const [begin, end] = [this.#beginOf(index), this.#beginOf(index + count)]
    const inserted = Buffer.from(texts.join(""))
    if (count === texts.length && count <= 1 && inserted.equals(bytes.subarray(begin, end))) return false
    const grown = inserted.length - (end - begin)
    let at = begin
    const ends = texts.map((text) => (at += Buffer.byteLength(text)))
    this.#ends = [...this.#ends.slice(0, index), ...ends, ...this.#ends.slice(index + count).map((old) => old + grown)]
    if (grown === 0 && inserted.length === 0) return false
    this.#bytes = Buffer.concat([bytes.subarray(0, begin), inserted, bytes.subarray(end)])
    this.#deflated = undefined
    return true
  }

  /** Takes the second half away, as a part of its own. */
  split(index: number): Part {
    const { bytes } = this
    const begin = this.#beginOf(index)
    const second = new Part()
    second.#ends = this.#ends.slice(index).map((end) => end - begin)
    second.#bytes = Buffer.from(bytes.subarray(begin))
    this.#ends = this.#ends.slice(0, index)
    this.#bytes = Buffer.from(bytes.subarray(0, begin))
    this.#deflated = undefined
    return second
  }

  #beginOf(index: number): number {
    return index === 0 ? 0 : (this.#ends[index - 1] ?? this.#bytes.length)
  }
}
