import type { Counts } from "../message/counts.ts"
import { MESSAGES } from "../message/media-type.ts"
import { LENGTH, WireReader } from "../../wire/wire.ts"
import { readLayout } from "../split/layout-v2.ts"
import type { Output } from "../split/output.ts"
import { readReference, References } from "../split/references.ts"
import { seriesText } from "../split/series-text.ts"
import { Spans } from "../split/spans.ts"
import { OF_EXEMPLAR, OF_SERIES, Symbols } from "../split/symbols.ts"
import type { LabelName } from "./label-names.ts"
import type { Pass } from "./pass.ts"
import { SeriesLabels } from "./series-labels.ts"

const [LABELS, SAMPLES, HISTOGRAMS, EXEMPLARS, METADATA] = [1, 2, 3, 4, 5]
const EXEMPLAR_LABELS = 1
const [HELP, UNIT] = [3, 4]
/** Tags: of a symbol, of a series, of its references. */
const [SYMBOL_TAG, SERIES_TAG, LABELS_TAG] = [0x22, 0x2a, 0x0a]

/**
 * Adds to `out` what of a message of version 2 is accepted: all symbols, then the series, then the symbols that came to
 * them. References to symbols stay what they are. Throws a refusal with status 400 where the message is malformed.
 */
export function applyV2(message: Buffer, pass: Pass, out: Output): void {
  const { symbols, series } = readLayout(message)
  if (symbols.length === 0) addSymbol(out, message, 0, 0) // the first one is empty
  for (let index = 0; index < symbols.length; index++) {
    addSymbol(out, message, symbols.starts[index] as number, symbols.ends[index] as number)
  }
  const table = new Symbols(message, symbols, [])
  const added = new AddedSymbols(Math.max(1, symbols.length))
  const each = new SeriesPass(table, added, pass, out)
  for (let index = 0; index < series.length; index++) {
    each.apply(series.starts[index] as number, series.ends[index] as number)
    pass.checkSize(out)
  }
  for (const symbol of added.all) addSymbol(out, symbol, 0, symbol.length)
  pass.checkSize(out)
}

function addSymbol(out: Output, from: Buffer, start: number, end: number): void {
  out.reserve(end - start + 6)
  out.byte(SYMBOL_TAG)
  out.varint(end - start)
  out.copy(from, start, end)
}

const MOST_KNOWN = 1000

/** Symbols that a message lacked. */
class AddedSymbols {
  readonly all: Buffer[] = []
  readonly #references = new Map<string, number>()
  /** Of those that come with every series. */
  readonly #known = new Map<Buffer, number>()
  readonly #first: number

  constructor(first: number) {
    this.#first = first
  }

  referenceOf(symbol: Buffer): number {
    const known = this.#known.get(symbol)
    if (known !== undefined) return known
    const reference = this.#find(symbol)
    if (this.#known.size < MOST_KNOWN) this.#known.set(symbol, reference)
    return reference
  }

  #find(symbol: Buffer): number {
    const key = symbol.toString("latin1")
    const known = this.#references.get(key)
    if (known !== undefined) return known
    const reference = this.#first + this.all.length
    this.all.push(symbol)
    this.#references.set(key, reference)
    return reference
  }
}

class SeriesPass {
  readonly #symbols: Symbols
  readonly #added: AddedSymbols
  readonly #pass: Pass
  readonly #out: Output
  readonly #reader: WireReader
  readonly #references = new References()
  readonly #part: WireReader
  readonly #exemplarLabels = new References()
  /** What is wrong with references that are copied. */
  #problem: string | undefined
  readonly #labels: SeriesLabels
  readonly #rest = new Spans()
  /** Of symbols, where they were looked at as a label's name. */
  readonly #names: (LabelName | undefined)[] = []

  constructor(symbols: Symbols, added: AddedSymbols, pass: Pass, out: Output) {
    this.#symbols = symbols
    this.#added = added
    this.#pass = pass
    this.#out = out
    this.#reader = new WireReader(symbols.bytes, MESSAGES[2])
    this.#part = new WireReader(symbols.bytes, MESSAGES[2])
    this.#labels = new SeriesLabels(symbols.bytes)
  }

  apply(start: number, end: number): void {
    const counts = this.#read(start, end)
    const refusal =
      this.#symbols.problemOf(this.#references, OF_SERIES) ??
      this.#problem ??
      (this.#setLabels(), this.#pass.judge.refusal(this.#labels))
    if (refusal === undefined) this.#write()
    else this.#reject(refusal, counts)
  }

  #reject(reason: string, counts: Counts): void {
    const { rejections, judge } = this.#pass
    rejections.add("", reason, counts, () => seriesText(this.#symbols.pairs(this.#references)), judge.kindOf(reason))
  }

  #read(start: number, end: number) {
    const counts = { samples: 0, histograms: 0, exemplars: 0 }
    const [rest, reader] = [this.#rest, this.#reader]
    this.#references.length = rest.length = 0
    this.#problem = undefined
    reader.enter(start, end)
    for (let at = start; reader.next(); at = reader.at) {
      if (reader.field === LABELS) {
        this.#references.add(reader)
        continue
      }
      if (reader.field === SAMPLES) counts.samples++
      else if (reader.field === EXEMPLARS) {
        counts.exemplars++
        this.#checkExemplar(reader)
      } else if (reader.field === METADATA) this.#checkMetadata(reader)
      else if (reader.field === HISTOGRAMS) counts.histograms++
      if (rest.length > 0 && rest.ends[rest.length - 1] === at) rest.ends[rest.length - 1] = reader.at
      else rest.add(at, reader.at)
    }
    return counts
  }

  /** A reference beyond the table would become one to a symbol that is added. */
  #checkExemplar(reader: WireReader): void {
    const [part, labels] = [this.#enter(reader), this.#exemplarLabels]
    labels.length = 0
    while (part.next()) if (part.field === EXEMPLAR_LABELS) labels.add(part)
    this.#problem ??= this.#symbols.problemOf(labels, OF_EXEMPLAR)
  }

  #checkMetadata(reader: WireReader): void {
    const part = this.#enter(reader)
    while (part.next()) {
      if (part.field !== HELP && part.field !== UNIT) continue
      const reference = readReference(part) >>> 0
      if (reference !== 0 && reference >= this.#symbols.count)
        this.#problem ??= "its metadata refers to a symbol that there is not"
    }
  }

  #enter(reader: WireReader): WireReader {
    reader.require(LENGTH)
    this.#part.enter(reader.start, reader.at)
    return this.#part
  }

  #setLabels(): void {
    const { values, length } = this.#references
    const labels = this.#labels
    labels.reset()
    const { starts, ends } = this.#symbols
    for (let index = 0; index < length; index += 2) {
      const [name, value] = [(values[index] as number) >>> 0, (values[index + 1] as number) >>> 0]
      labels.add(this.#nameOf(name), starts[value] as number, ends[value] as number, name, value)
    }
  }

  #nameOf(reference: number): LabelName {
    const known = this.#names[reference]
    if (known !== undefined) return known
    const { bytes, starts, ends } = this.#symbols
    return (this.#names[reference] = this.#pass.names.of(bytes, starts[reference] as number, ends[reference] as number))
  }

  #write(): void {
    const { forwarded } = this.#pass
    forwarded.set(this.#labels)
    const [out, rest, labels] = [this.#out, this.#rest, this.#labels]
    out.reserve(10 * forwarded.length + 12)
    out.byte(SERIES_TAG)
    const series = out.open()
    out.byte(LABELS_TAG)
    const references = out.open()
    for (let index = 0; index < forwarded.length; index++) {
      const source = forwarded.sources[index] as number
      const value = forwarded.values[index]
      const name = forwarded.names[index] as Buffer
      const isSent = source !== -1 && labels.names[source]?.renamed === false
      out.varint(isSent ? (labels.nameRefs[source] as number) : this.#added.referenceOf(name))
      out.varint(value === undefined ? (labels.valueRefs[source] as number) : this.#added.referenceOf(value))
    }
    out.close(references)
    for (let index = 0; index < rest.length; index++) {
      const [start, end] = [rest.starts[index] as number, rest.ends[index] as number]
      out.reserve(end - start + 5)
      out.copy(this.#symbols.bytes, start, end)
    }
    out.reserve(5)
    out.close(series)
  }
}
