import { FIXED64, LENGTH, VARINT, WireReader } from "../../wire/wire.ts"
import { type Label, LabelReader, NAME } from "./label-reader.ts"
import { explained } from "./read-response.ts"
import type { StoredSample, StoredSeries } from "./series.ts"

/** The bits of the float that marks the end of a series. */
const STALE_HIGH = 0x7ff00000
const STALE_LOW = 2

/** Reads series of one message. */
export class SeriesReader {
  readonly #message: Buffer
  readonly #series: WireReader
  readonly #inner: WireReader
  readonly #labels: LabelReader

  constructor(message: Buffer) {
    this.#message = message
    this.#series = new WireReader(message, "prometheus.TimeSeries", 0, 0)
    this.#inner = new WireReader(message, "prometheus.TimeSeries", 0, 0)
    this.#labels = new LabelReader(message)
  }

  /** Undefined where it has no sample, or the newest one marks its end. Throws UPSTREAM_BAD_RESPONSE. */
  read(start: number, end: number): StoredSeries | undefined {
    try {
      return this.#read(start, end)
    } catch (error) {
      throw explained(error)
    }
  }

  #read(start: number, end: number): StoredSeries | undefined {
    const series = this.#series
    const labels: Label[] = []
    let name = ""
    let place = 0
    let timestamp = -Infinity
    let sampleStart = -1
    let sampleEnd = -1
    let isHistogram = false
    series.enter(start, end)
    while (series.next()) {
      if (series.field === 1) {
        series.require(LENGTH)
        const label = this.#labels.read(series.start, series.at, place++)
        if (label[0] === NAME) name = label[1]
        else if (label[1] !== "") labels.push(label)
      } else if (series.field === 2 || series.field === 4) {
        series.require(LENGTH)
        const time = this.#timeOf(series.start, series.at, series.field === 2 ? 2 : 15)
        if (time < timestamp) continue
        timestamp = time
        sampleStart = series.start
        sampleEnd = series.at
        isHistogram = series.field === 4
      }
    }
    if (sampleStart === -1) return undefined
    const sample = isHistogram ? this.#histogram(sampleStart, sampleEnd) : this.#float(sampleStart, sampleEnd, 1)
    return sample === undefined ? undefined : { name, labels, timestamp, sample }
  }

  /** Milliseconds; before 1970 they are no concern of a look-back. */
  #timeOf(start: number, end: number, field: number): number {
    const inner = this.#inner
    let time = 0
    inner.enter(start, end)
    while (inner.next()) {
      if (inner.field !== field) continue
      inner.require(VARINT)
      const { at } = inner
      inner.at = inner.start
      time = inner.varint()
      inner.at = at
    }
    return time
  }

  /** Undefined where it marks the end of a series. */
  #float(start: number, end: number, field: number): number | undefined {
    const inner = this.#inner
    const message = this.#message
    let value = 0
    inner.enter(start, end)
    while (inner.next()) {
      if (inner.field !== field) continue
      inner.require(FIXED64)
      if (message.readUInt32LE(inner.start) === STALE_LOW && message.readUInt32LE(inner.start + 4) === STALE_HIGH) {
        return undefined
      }
      value = message.readDoubleLE(inner.start)
    }
    return value
  }

  /** By its sum, a histogram marks the end of a series as a float does. */
  #histogram(start: number, end: number): StoredSample | undefined {
    return this.#float(start, end, 3) === undefined ? undefined : this.#message.subarray(start, end)
  }
}
