import { MESSAGES } from "../message/media-type.ts"
import { LENGTH, WireReader } from "../../wire/wire.ts"
import { MOST_UNUSUAL } from "./bounds.ts"
import { type Fields, HISTOGRAM, validateField, validateFields } from "./fields.ts"
import { isAscii, LabelPositions, LabelReader } from "./labels-v1.ts"

const LABELS = 1
const SAMPLES = 2
const EXEMPLARS = 3
const HISTOGRAMS = 4

const SAMPLE: Fields = { 1: "double", 2: "number" }
const EXEMPLAR: Fields = { 2: "double", 3: "number" }

/** Tags of one byte: the value of a label; a sample, its value, its time. */
const VALUE_TAG = 0x12
const [SAMPLE_TAG, DOUBLE_TAG, TIME_TAG] = [0x12, 0x09, 0x10]

/** A label and its name, each with a tag and a length of one byte: the bits that are the same in all of them. */
const [HEAD_BITS, LABEL_HEAD] = [0x80ff80ff | 0, 0x000a000a]

/** Of what is found of a watched label. */
const NUMBERS = 4

/**
 * Reads series of a message of version 1 in place, one after the other: what it has is that of the last one. What
 * senders write is recognised by its first bytes, and everything else that protobuf allows is read field by field.
 */
export class SeriesReader {
  samples = 0
  histograms = 0
  exemplars = 0
  labels = 0
  /** Whether no label stands twice, and all have names and are UTF-8, as could be seen in passing; else `positions` decide. */
  sound = true
  /** Whether a watched label stands twice. */
  ambiguous = false
  /** Of each watched label: its start and end as a field, and those of its value; -1 where the series lacks it. */
  readonly found: Int32Array
  readonly #bytes: Buffer
  readonly #words: Int32Array
  readonly #view: DataView
  readonly #reader: WireReader
  readonly #label = new LabelReader()
  /** Of all series so far. */
  #unusual = 0
  #positions: LabelPositions | undefined
  readonly #watched: readonly Buffer[]
  /** Whether a watched label may have a name of this length and last byte: that of most others is none. */
  readonly #candidates = new Uint8Array(1024)

  /** `message` begins at a multiple of four in its memory. */
  constructor(message: Buffer, watched: readonly string[]) {
    this.#bytes = message
    this.#words = new Int32Array(message.buffer, message.byteOffset, message.length >> 2)
    this.#view = new DataView(message.buffer, message.byteOffset, message.length)
    this.#reader = new WireReader(message, MESSAGES[1])
    this.#watched = watched.map((name) => Buffer.from(name))
    this.found = new Int32Array(NUMBERS * watched.length)
    for (const name of this.#watched) this.#candidates[candidate(name, 0, name.length)] = 1
  }

  /** Throws a refusal with status 400 where the bytes are no series. */
  read(start: number, end: number): void {
    const bytes = this.#bytes
    const view = this.#view
    const candidates = this.#candidates
    this.samples = this.histograms = this.exemplars = 0
    this.ambiguous = false
    for (let index = 0; index < this.found.length; index++) this.found[index] = -1
    let labels = 0
    let sorted = true
    let named = true
    let labelsStart = start
    let labelsEnd = start
    let previousStart = 0
    let previousEnd = 0
    let previousFirst = 0
    let at = start
    while (at < end) {
      let nameStart = at + 4
      let nameEnd = 0
      let valueStart = 0
      let next = 0
      // four bytes and two in one load: tag and length of the label, of its name, and of its value
      const head = at + 6 <= end ? view.getInt32(at, true) : 0
      if ((head & HEAD_BITS) === LABEL_HEAD) {
        nameEnd = nameStart + (head >>> 24)
        valueStart = nameEnd + 2
        const valueEnd = at + 2 + ((head >>> 8) & 0x7f)
        if (valueStart <= valueEnd && valueEnd <= end) {
          const middle = view.getUint16(nameEnd, true)
          if ((middle & 0xff) === VALUE_TAG && valueStart + (middle >>> 8) === valueEnd) next = valueEnd
        }
      } else if (bytes[at] === SAMPLE_TAG && (next = this.#plainSample(at, end)) > 0) {
        this.samples++
        at = next
        continue
      }
      let valueEnd = next
      if (next === 0) {
        next = this.#readField(at, end)
        if (this.#reader.field !== LABELS) {
          at = next
          continue
        }
        nameStart = this.#label.nameStart
        nameEnd = this.#label.nameEnd
        valueStart = this.#label.valueStart
        valueEnd = this.#label.valueEnd
      }
      if (nameStart === nameEnd) named = false
      const first = bytes[nameStart] as number
      if (labels === 0) labelsStart = at
      else if (first <= previousFirst && sorted) {
        sorted = isBefore(bytes, previousStart, previousEnd, nameStart, nameEnd)
      }
      if (candidates[candidate(bytes, nameStart, nameEnd)] === 1) {
        this.#match(at, next, nameStart, nameEnd, valueStart, valueEnd)
      }
      labels++
      labelsEnd = next
      previousStart = nameStart
      previousEnd = nameEnd
      previousFirst = first
      at = next
    }
    this.labels = labels
    this.sound = sorted && named && this.#isAscii(labelsStart, labelsEnd)
  }

  /** The labels of a series that has been read, until the next call. */
  positions(start: number, end: number): LabelPositions {
    const positions = (this.#positions ??= new LabelPositions(this.#bytes))
    positions.length = 0
    const label = this.#label
    const reader = this.#reader
    reader.enter(start, end)
    while (reader.next()) {
      if (reader.field !== LABELS) continue
      label.read(reader)
      positions.add(label.nameStart, label.nameEnd, label.valueStart, label.valueEnd)
    }
    return positions
  }

  /** The end of a sample as senders write it, 0 for any other. */
  #plainSample(at: number, end: number): number {
    const bytes = this.#bytes
    if (at + 4 > end) return 0
    const length = bytes[at + 1] as number
    const next = at + 2 + length
    if (length >= 0x80 || next > end) return 0
    let time = at + 3
    // a value of 0 is left out
    if (bytes[at + 2] === DOUBLE_TAG && bytes[at + 11] === TIME_TAG) time = at + 12
    else if (bytes[at + 2] !== TIME_TAG) return 0
    const last = next - 1
    if (last < time || last - time > 8 || (bytes[last] as number) >= 0x80) return 0
    while (time < last) if ((bytes[time++] as number) < 0x80) return 0
    return next
  }

  #match(start: number, end: number, nameStart: number, nameEnd: number, valueStart: number, valueEnd: number): void {
    for (let index = 0; index < this.#watched.length; index++) {
      if (!isName(this.#bytes, nameStart, nameEnd, this.#watched[index] as Buffer)) continue
      if ((this.found[NUMBERS * index] as number) >= 0) this.ambiguous = true
      this.found[NUMBERS * index] = start
      this.found[NUMBERS * index + 1] = end
      this.found[NUMBERS * index + 2] = valueStart
      this.found[NUMBERS * index + 3] = valueEnd
    }
  }

  /** Returns the end of the field at `start`, whatever it is. A label is in `#label`. */
  #readField(start: number, end: number): number {
    const reader = this.#reader
    reader.enter(start, end)
    reader.next()
    this.#countUnusual()
    const { field, at } = reader
    if (field === LABELS) this.#label.read(reader)
    else if (field === SAMPLES || field === EXEMPLARS || field === HISTOGRAMS) {
      reader.require(LENGTH)
      reader.enter(reader.start, at)
      if (field === SAMPLES) {
        this.samples++
        validateFields(reader, SAMPLE)
      } else if (field === HISTOGRAMS) {
        this.histograms++
        validateFields(reader, HISTOGRAM)
      } else {
        this.exemplars++
        this.#readExemplar(reader)
      }
    }
    reader.field = field
    return at
  }

  #readExemplar(reader: WireReader): void {
    while (reader.next()) {
      this.#countUnusual()
      if (reader.field === LABELS) this.#label.read(reader)
      else validateField(reader, EXEMPLAR)
    }
  }

  #countUnusual(): void {
    if (++this.#unusual > MOST_UNUSUAL) this.#reader.refuse(`it has more than ${MOST_UNUSUAL} unusual fields`)
  }

  /** Of labels and what is between them; their tags and, up to 127, their lengths are ASCII as well. Bytes stand in words as
   * with x64 and arm64, which the package of snappy is for: the first is the lowest.
   */
  #isAscii(start: number, end: number): boolean {
    const words = this.#words
    const last = end >> 2
    // only where the message ends with a label, and not at a multiple of four
    if (last === words.length) return isAscii(this.#bytes, start, end)
    let highs = (words[last] as number) & ~(-1 << ((end & 3) << 3))
    // a label begins with four bytes of tags and lengths
    for (let word = (start >> 2) + 1; word < last; word++) highs |= words[word] as number
    return (highs & HIGH) === 0
  }
}

/** The bits that no byte of ASCII has, of a word. */
const HIGH = 0x80808080 | 0

/** Of the names with the same length, to some extent, and the same last byte. */
const candidate = (bytes: Buffer, start: number, end: number): number =>
  end === start ? 0 : (((end - start) << 5) ^ (bytes[end - 1] as number)) & 1023

/** Whether a name stands before another in the order of bytes, and is not the same. */
function isBefore(bytes: Buffer, start: number, end: number, otherStart: number, otherEnd: number): boolean {
  let other = otherStart
  for (let at = start; at < end; at++, other++) {
    if (other === otherEnd) return false
    const difference = (bytes[at] as number) - (bytes[other] as number)
    if (difference !== 0) return difference < 0
  }
  return other < otherEnd
}

function isName(bytes: Buffer, start: number, end: number, name: Buffer): boolean {
  if (end - start !== name.length) return false
  for (let at = 0; at < name.length; at++) if (bytes[start + at] !== name[at]) return false
  return true
}
