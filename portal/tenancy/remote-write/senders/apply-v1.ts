import type { Counts } from "../message/counts.ts"
import { MESSAGES } from "../message/media-type.ts"
import { LENGTH, WireReader } from "../../wire/wire.ts"
import { MOST_SERIES } from "../split/bounds.ts"
import { LabelReader } from "../split/labels-v1.ts"
import type { Output } from "../split/output.ts"
import { seriesText } from "../split/series-text.ts"
import { Spans } from "../split/spans.ts"
import type { Pass } from "./pass.ts"
import { SeriesLabels } from "./series-labels.ts"

const [SERIES, METADATA] = [1, 3]
const [LABELS, SAMPLES, EXEMPLARS, HISTOGRAMS] = [1, 2, 3, 4]
const FAMILY_NAME = 2
/** Tags: of a series, of metadata, of a label, of its name and value. */
const [SERIES_TAG, METADATA_TAG, LABEL_TAG, NAME_TAG, VALUE_TAG] = [0x0a, 0x1a, 0x0a, 0x0a, 0x12]

/** Adds to `out` what of a message of version 1 is accepted. Throws a refusal with status 400 where it is malformed. */
export function applyV1(message: Buffer, pass: Pass, out: Output): void {
  const reader = new WireReader(message, MESSAGES[1])
  const series = new SeriesPass(message, pass, out)
  let count = 0
  while (reader.next()) {
    // fields that are not known are left out: to a receiver they may mean that it need not look
    if (reader.field !== SERIES && reader.field !== METADATA) continue
    reader.require(LENGTH)
    if (count++ === MOST_SERIES) reader.refuse(`it has more than ${MOST_SERIES} series and records of metadata`)
    const { start, at } = reader
    if (reader.field === SERIES) series.apply(start, at)
    else if (pass.judge.acceptsFamily(familyName(message, start, at))) {
      out.reserve(at - start + 6)
      out.byte(METADATA_TAG)
      out.varint(at - start)
      out.copy(message, start, at)
    }
    pass.checkSize(out)
  }
}

function familyName(message: Buffer, start: number, end: number): string {
  const reader = new WireReader(message, MESSAGES[1], start, end)
  let name = ""
  while (reader.next()) {
    if (reader.field !== FAMILY_NAME) continue
    reader.require(LENGTH)
    name = message.toString("utf8", reader.start, reader.at)
  }
  return name
}

class SeriesPass {
  readonly #message: Buffer
  readonly #pass: Pass
  readonly #out: Output
  readonly #reader: WireReader
  readonly #label = new LabelReader()
  readonly #labels: SeriesLabels
  /** All but the labels. */
  readonly #rest = new Spans()

  constructor(message: Buffer, pass: Pass, out: Output) {
    this.#message = message
    this.#pass = pass
    this.#out = out
    this.#reader = new WireReader(message, MESSAGES[1])
    this.#labels = new SeriesLabels(message)
  }

  apply(start: number, end: number): void {
    const counts = this.#read(start, end)
    const refusal = this.#pass.judge.refusal(this.#labels)
    if (refusal === undefined) this.#write()
    else this.#reject(refusal, counts)
  }

  #reject(reason: string, counts: Counts): void {
    const { rejections, judge } = this.#pass
    rejections.add("", reason, counts, () => seriesText(this.#labels.shown()), judge.kindOf(reason))
  }

  #read(start: number, end: number) {
    const counts = { samples: 0, histograms: 0, exemplars: 0 }
    const [labels, rest, label, reader] = [this.#labels, this.#rest, this.#label, this.#reader]
    labels.reset()
    rest.length = 0
    reader.enter(start, end)
    for (let at = start; reader.next(); at = reader.at) {
      if (reader.field === LABELS) {
        label.read(reader)
        const guess = labels.names[labels.length]
        const name = this.#pass.names.of(this.#message, label.nameStart, label.nameEnd, guess)
        labels.add(name, label.valueStart, label.valueEnd)
        continue
      }
      if (reader.field === SAMPLES) counts.samples++
      else if (reader.field === EXEMPLARS) counts.exemplars++
      else if (reader.field === HISTOGRAMS) counts.histograms++
      if (rest.length > 0 && rest.ends[rest.length - 1] === at) rest.ends[rest.length - 1] = reader.at
      else rest.add(at, reader.at)
    }
    return counts
  }

  #write(): void {
    const { forwarded } = this.#pass
    forwarded.set(this.#labels)
    const [out, message, rest, labels] = [this.#out, this.#message, this.#rest, this.#labels]
    out.reserve(6)
    out.byte(SERIES_TAG)
    const series = out.open()
    for (let index = 0; index < forwarded.length; index++) {
      const name = forwarded.names[index] as Buffer
      const value = forwarded.values[index]
      const source = forwarded.sources[index] as number
      const from = value ?? message
      const start = value === undefined ? (labels.starts[source] as number) : 0
      const end = value === undefined ? (labels.ends[source] as number) : value.length
      out.reserve(name.length + end - start + 20)
      out.byte(LABEL_TAG)
      const label = out.open()
      out.byte(NAME_TAG)
      out.varint(name.length)
      out.copy(name, 0, name.length)
      out.byte(VALUE_TAG)
      out.varint(end - start)
      out.copy(from, start, end)
      out.close(label)
    }
    for (let index = 0; index < rest.length; index++) {
      const [start, end] = [rest.starts[index] as number, rest.ends[index] as number]
      out.reserve(end - start + 5)
      out.copy(message, start, end)
    }
    out.reserve(5)
    out.close(series)
  }
}
