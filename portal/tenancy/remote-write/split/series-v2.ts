import { MESSAGES } from "../message/media-type.ts"
import { LENGTH, VARINT, WireReader } from "../../wire/wire.ts"
import { EXEMPLAR, HISTOGRAM, METADATA, SAMPLE, validateField, validateFields } from "./fields.ts"
import { readReference, References } from "./references.ts"
import { OF_EXEMPLAR, OF_SERIES, type Symbols } from "./symbols.ts"

/** Fields of a series. */
export const LABELS = 1
const SAMPLES = 2
const HISTOGRAMS = 3
export const EXEMPLARS = 4
export const SERIES_METADATA = 5
const CREATED = 6

/** Field of an exemplar. */
export const EXEMPLAR_LABELS = 1

/** Fields of metadata; the last two are symbols. */
export const TYPE = 1
export const HELP = 3
export const UNIT = 4

/** Tags of one byte. */
const [LABELS_TAG, SAMPLE_TAG, METADATA_TAG] = [0x0a, 0x12, 0x2a]
const [DOUBLE_TAG, TIME_TAG, START_TAG] = [0x09, 0x10, 0x18]
const [TYPE_TAG, HELP_TAG, UNIT_TAG] = [0x08, 0x18, 0x20]

/** Reads series of a message of version 2, one after the other; the fields are of the last one read. */
export class SeriesReader {
  readonly labels = new References()
  samples = 0
  histograms = 0
  exemplars = 0
  /** Whether it has metadata that says something. */
  metadata = false
  /** Whether it has fields beside those. */
  others = false
  /** Whether it is packed labels, then samples, and at most one piece of metadata, as senders write most of them. */
  plain = false
  /** Why it cannot be sent, for a person; undefined where its references are sound. */
  problem: string | undefined
  readonly #symbols: Symbols
  readonly #reader: WireReader
  readonly #exemplarLabels = new References()

  constructor(symbols: Symbols) {
    this.#symbols = symbols
    this.#reader = new WireReader(symbols.bytes, MESSAGES[2])
  }

  /** Throws a refusal with status 400 where the bytes make no series. */
  read(start: number, end: number): void {
    this.samples = this.histograms = this.exemplars = 0
    this.metadata = this.others = false
    this.problem = undefined
    this.labels.length = 0
    this.plain = this.#readPlain(start, end)
    if (this.plain) return
    this.samples = this.labels.length = 0
    this.metadata = false
    const reader = this.#reader
    reader.enter(start, end)
    while (reader.next()) {
      if (reader.field === LABELS) this.labels.add(reader)
      else if (reader.field <= SERIES_METADATA) this.#readPart(reader)
      else {
        this.others = true
        if (reader.field === CREATED) reader.require(VARINT)
      }
    }
    this.problem = this.#symbols.problemOf(this.labels, OF_SERIES) ?? this.problem
  }

  #readPlain(start: number, end: number): boolean {
    const { bytes, count, malformed } = this.#symbols
    if (malformed !== undefined || bytes[start] !== LABELS_TAG) return false
    const labels = plainLength(bytes, start + 1)
    let at = start + (labels < 0x80 ? 2 : 3)
    const labelsEnd = at + labels
    if (labels < 0 || labelsEnd > end) return false
    if (!this.labels.addPlain(bytes, at, labelsEnd, count)) return false
    at = labelsEnd
    let metadata = 0
    while (at < end) {
      const tag = bytes[at]
      const next = at + 2 + (bytes[at + 1] as number)
      if ((bytes[at + 1] as number) >= 0x80 || next > end) return false
      if (tag === SAMPLE_TAG) {
        if (!isPlainSample(bytes, at + 2, next)) return false
        this.samples++
      } else if (tag !== METADATA_TAG || metadata++ > 0 || !this.#isPlainMetadata(at + 2, next)) return false
      at = next
    }
    return true
  }

  #isPlainMetadata(start: number, end: number): boolean {
    const { bytes, count } = this.#symbols
    let at = start
    while (at < end) {
      const tag = bytes[at++]
      let value = bytes[at++] as number
      if (value >= 0x80) {
        value += ((bytes[at++] as number) - 1) * 0x80
        if (value >= 0x4000) {
          value += ((bytes[at++] as number) - 1) * 0x4000
          if (value >= 0x200000) return false
        }
      }
      if (tag !== TYPE_TAG && ((tag !== HELP_TAG && tag !== UNIT_TAG) || value >= count)) return false
      if (value > 0) this.metadata = true
    }
    return at === end
  }

  #readPart(reader: WireReader): void {
    reader.require(LENGTH)
    const { field, start, at, end } = reader
    reader.enter(start, at)
    if (field === SAMPLES) {
      this.samples++
      validateFields(reader, SAMPLE)
    } else if (field === HISTOGRAMS) {
      this.histograms++
      validateFields(reader, HISTOGRAM)
    } else if (field === EXEMPLARS) {
      this.exemplars++
      this.#readExemplar(reader)
    } else this.#readMetadata(reader)
    reader.enter(at, end)
  }

  #readExemplar(reader: WireReader): void {
    const labels = this.#exemplarLabels
    labels.length = 0
    while (reader.next()) {
      if (reader.field === EXEMPLAR_LABELS) labels.add(reader)
      else validateField(reader, EXEMPLAR)
    }
    this.problem ??= this.#symbols.problemOf(labels, OF_EXEMPLAR)
  }

  #readMetadata(reader: WireReader): void {
    while (reader.next()) {
      validateField(reader, METADATA)
      if (reader.field !== TYPE && reader.field !== HELP && reader.field !== UNIT) continue
      const value = readReference(reader)
      if (value === 0) continue
      this.metadata = true
      if (reader.field !== TYPE) this.problem ??= this.#problemOfMetadata(value, reader.field)
    }
  }

  #problemOfMetadata(reference: number, field: number): string | undefined {
    const { count, malformed } = this.#symbols
    const what = field === HELP ? "help" : "unit"
    if (reference >>> 0 >= count) return `the ${what} of its metadata refers to a symbol that there is not`
    return malformed?.[reference] === 1 ? `the ${what} of its metadata is not UTF-8` : undefined
  }
}

/** A length of one or two bytes; -1 where it has more. */
function plainLength(bytes: Uint8Array, at: number): number {
  const low = bytes[at] as number
  if (low < 0x80) return low
  const high = bytes[at + 1] as number
  return high < 0x80 ? low + (high - 1) * 0x80 : -1
}

function isPlainSample(bytes: Uint8Array, start: number, end: number): boolean {
  let at = bytes[start] === DOUBLE_TAG ? start + 9 : start
  while (at < end) {
    const tag = bytes[at++]
    if (tag !== TIME_TAG && tag !== START_TAG) return false
    const last = at + 9
    while ((bytes[at] as number) >= 0x80) if (++at === last) return false
    at++
  }
  return at === end
}
