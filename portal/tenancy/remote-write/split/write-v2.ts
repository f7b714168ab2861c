import { MESSAGES } from "../message/media-type.ts"
import { encodeElements } from "../../wire/snappy.ts"
import { WireReader } from "../../wire/wire.ts"
import { MetadataWriter } from "./metadata-v2.ts"
import { Output } from "./output.ts"
import type { Portion } from "./portion-v2.ts"
import { References } from "./references.ts"
import { Remap } from "./remap.ts"
import { EXEMPLAR_LABELS, EXEMPLARS, LABELS, SERIES_METADATA } from "./series-v2.ts"
import type { Batch } from "./slice.ts"
import type { Spans } from "./spans.ts"
import type { Symbols } from "./symbols.ts"
import { NO_STRIP } from "./targets-v2.ts"
import { writePlain } from "./write-plain-v2.ts"

const EMPTY_SYMBOL = Buffer.from([0x22, 0])
const SERIES_TAG = 0x2a
const PACKED_LABELS_TAG = 0x0a
const EXEMPLAR_TAG = 0x22

/** What most series are joined with: one list for all, as one for each would be garbage. */
const ALONE: readonly number[] = []

/** Room for tags and lengths. */
const MOST_HEAD = 32

/** Of the buffers that are kept for the next message. */
const MOST_KEPT = 1024 * 1024

// one message is written at a time
const symbolsOut = new Output()
const out = new Output()
const message = new Output()

/** Writes series of a message of version 2 into others. */
export class WriterV2 {
  readonly #series: Spans
  readonly #plain: Uint8Array
  readonly #symbols: Symbols
  readonly #remap: Remap
  readonly #reader: WireReader
  readonly #labels = new References()
  readonly #metadata: MetadataWriter
  /** Numbers of the names of the tenant labels. */
  readonly #tenantNames: readonly number[]
  /** How many bytes a reference takes at most: at least one before. */
  #growth = 1

  /** `plain`: 1 for each series that the reader of series found plain. */
  constructor(symbols: Symbols, series: Spans, plain: Uint8Array, tenantNames: readonly number[]) {
    this.#plain = plain
    this.#symbols = symbols
    this.#series = series
    this.#remap = new Remap(symbols, symbolsOut)
    this.#reader = new WireReader(symbols.bytes, MESSAGES[2])
    this.#metadata = new MetadataWriter(symbols, this.#remap)
    this.#tenantNames = tenantNames
  }

  /** The first of a batch also writes the empty symbol; those of the others go on behind the symbols before. */
  append(portion: Portion, batch: Batch): void {
    const first = batch.symbols === 0
    symbolsOut.at = out.at = 0
    this.#remap.begin(first ? 1 : batch.symbols)
    this.#growth = Math.ceil(Math.log2(batch.symbols + this.#symbols.count + 2) / 7)
    const { series, strips, joined } = portion
    for (let index = 0; index < series.length; index++) {
      const number = series[index] as number
      this.#write(number, strips[index] ?? NO_STRIP, joined.size === 0 ? undefined : joined.get(number))
    }
    const { length } = EMPTY_SYMBOL
    message.at = 0
    message.reserve(length + symbolsOut.at + out.at)
    if (first) message.copy(EMPTY_SYMBOL, 0, length)
    message.copy(symbolsOut.bytes, 0, symbolsOut.at)
    message.copy(out.bytes, 0, out.at)
    batch.symbols = this.#remap.symbols
    batch.decodedBytes += message.at
    batch.chunks.push(encodeElements(message.bytes.subarray(0, message.at)))
    message.trim(MOST_KEPT)
    symbolsOut.trim(MOST_KEPT)
    out.trim(MOST_KEPT)
  }

  #write(number: number, strip: number, joined = ALONE): void {
    const reader = this.#reader
    this.#enter(number)
    const stripped = this.#tenantNames[strip] ?? 0
    if (joined.length === 0 && this.#plain[number] === 1) {
      writePlain(this.#symbols, this.#remap, out, reader.at, reader.end, stripped)
      return
    }
    out.byte(SERIES_TAG)
    const open = out.open()
    this.#writeLabels(reader, LABELS, stripped)
    this.#metadata.clear()
    this.#enter(number)
    this.#writeRest(reader)
    for (const other of joined) {
      this.#enter(other)
      this.#writeExemplars(reader)
    }
    this.#metadata.write(out)
    out.close(open)
  }

  /** Reads a series from its beginning, with room for all of it. */
  #enter(number: number): void {
    const [start, end] = [this.#series.starts[number] as number, this.#series.ends[number] as number]
    out.reserve(this.#growth * (end - start) + MOST_HEAD)
    this.#reader.enter(start, end)
  }

  /** All references of a field, however they are distributed in the message, packed into one. */
  #writeLabels(reader: WireReader, field: number, stripped: number): void {
    const labels = this.#labels
    labels.length = 0
    while (reader.next()) if (reader.field === field) labels.add(reader)
    if (labels.length === 0) return
    const { values, length } = labels
    out.byte(PACKED_LABELS_TAG)
    const open = out.open()
    for (let index = 0; index < length; index += 2) {
      const name = values[index] as number
      if (stripped !== 0 && this.#symbols.nameOf(name) === stripped) continue
      out.varint(this.#remap.of(name))
      out.varint(this.#remap.of(values[index + 1] as number))
    }
    out.close(open)
  }

  /** What stands beside the labels, unchanged but for references in it. */
  #writeRest(reader: WireReader): void {
    const { end } = reader
    let copied = reader.at
    while (reader.at < end) {
      const { at } = reader
      reader.next()
      const { field, start, at: next } = reader
      if (field !== LABELS && field !== EXEMPLARS && field !== SERIES_METADATA) continue
      out.copy(this.#symbols.bytes, copied, at)
      if (field === EXEMPLARS) this.#writeExemplar(reader, start, next)
      else if (field === SERIES_METADATA) this.#metadata.add(reader, start, next)
      reader.enter(next, end)
      copied = next
    }
    out.copy(this.#symbols.bytes, copied, end)
  }

  /** Of a series that is joined with another one, and its metadata where that one has none. */
  #writeExemplars(reader: WireReader): void {
    const { end } = reader
    const { isEmpty } = this.#metadata
    while (reader.next()) {
      const { field, start, at: next } = reader
      if (field === EXEMPLARS) this.#writeExemplar(reader, start, next)
      else if (field === SERIES_METADATA && isEmpty) this.#metadata.add(reader, start, next)
      reader.enter(next, end)
    }
  }

  #writeExemplar(reader: WireReader, start: number, end: number): void {
    out.byte(EXEMPLAR_TAG)
    const open = out.open()
    reader.enter(start, end)
    this.#writeLabels(reader, EXEMPLAR_LABELS, 0)
    reader.enter(start, end)
    while (reader.at < end) {
      const { at } = reader
      reader.next()
      if (reader.field !== EXEMPLAR_LABELS) out.copy(this.#symbols.bytes, at, reader.at)
    }
    out.close(open)
  }
}
