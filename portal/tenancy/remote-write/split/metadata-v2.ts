import type { WireReader } from "../../wire/wire.ts"
import { Output } from "./output.ts"
import { readReference } from "./references.ts"
import type { Remap } from "./remap.ts"
import { HELP, TYPE, UNIT } from "./series-v2.ts"
import type { Symbols } from "./symbols.ts"

const METADATA_TAG = 0x2a
const TYPE_TAG = 0x08
const HELP_TAG = 0x18
const UNIT_TAG = 0x20

/** Of what is kept for the next series. */
const MOST_KEPT = 64 * 1024

/** Metadata of one series, which a message may have in several pieces: the last value of each field is the one that counts. */
export class MetadataWriter {
  readonly #symbols: Symbols
  readonly #remap: Remap
  #type = 0
  #help = 0
  #unit = 0
  /** Fields that are unknown here. */
  readonly #others = new Output()

  constructor(symbols: Symbols, remap: Remap) {
    this.#symbols = symbols
    this.#remap = remap
  }

  clear(): void {
    this.#type = this.#help = this.#unit = 0
    this.#others.trim(MOST_KEPT)
  }

  get isEmpty(): boolean {
    return this.#type === 0 && this.#help === 0 && this.#unit === 0 && this.#others.at === 0
  }

  add(reader: WireReader, start: number, end: number): void {
    reader.enter(start, end)
    while (reader.at < end) {
      const { at } = reader
      reader.next()
      if (reader.field === TYPE) this.#type = readReference(reader)
      else if (reader.field === HELP) this.#help = readReference(reader)
      else if (reader.field === UNIT) this.#unit = readReference(reader)
      else {
        this.#others.reserve(reader.at - at)
        this.#others.copy(this.#symbols.bytes, at, reader.at)
      }
    }
  }

  /** Nothing where there is none. Reference 0 says that there is no help or no unit. */
  write(out: Output): void {
    if (this.isEmpty) return
    out.byte(METADATA_TAG)
    const open = out.open()
    out.copy(this.#others.bytes, 0, this.#others.at)
    if (this.#type !== 0) {
      out.byte(TYPE_TAG)
      out.varint(this.#type >>> 0)
    }
    this.#writeReference(out, HELP_TAG, this.#help)
    this.#writeReference(out, UNIT_TAG, this.#unit)
    out.close(open)
  }

  #writeReference(out: Output, tag: number, reference: number): void {
    const number = reference === 0 ? 0 : this.#remap.of(reference)
    if (number === 0) return
    out.byte(tag)
    out.varint(number)
  }
}
