import { FIXED64, LENGTH, VARINT, WireReader } from "../../wire/wire.ts"
import { preamble as varint } from "../../wire/snappy.ts"
import type { StoredSeries } from "../store/series.ts"
import { classicBuckets } from "./custom-buckets.ts"
import { type Format, isFloat } from "./format.ts"
import { type FamilyOfNames, isCreated } from "./metadata.ts"
import type { Escaping } from "./names.ts"

/** Of `io.prometheus.client.MetricType`. */
const [COUNTER, GAUGE, UNTYPED, HISTOGRAM, GAUGE_HISTOGRAM] = [0, 1, 3, 4, 5]
/** The field of a metric by its type. */
const VALUE_FIELD: Readonly<Record<number, number>> = { [COUNTER]: 3, [GAUGE]: 2, [UNTYPED]: 5 }
/** Of `prometheus.Histogram`: that it is a gauge. */
const RESET_HINT = 14
const RESET_HINT_GAUGE = 3

/** The fields of `prometheus.Histogram` by what they are in `io.prometheus.client.Histogram`; those not here are left out. */
const HISTOGRAM_FIELDS: Readonly<Record<number, number>> = {
  1: 1, // count
  2: 4, // count as a float
  3: 2, // sum
  4: 5, // schema
  5: 6, // zero threshold
  6: 7, // zero count
  7: 8, // zero count as a float
  8: 9, // negative spans, deltas, counts
  9: 10,
  10: 11,
  11: 12, // positive ones
  12: 13,
  13: 14,
}
const CUSTOM_BUCKETS = -53
const [NEGATIVE_SPAN, POSITIVE_SPAN] = [9, 12]
/** Of the fields that are known. */
const WIRE_TYPES = new Set([VARINT, FIXED64, LENGTH])

/**
 * Delimited messages `io.prometheus.client.MetricFamily`, the only format that holds native histograms. Each name is a family of
 * its own, as /federate of Prometheus has them: classic histograms stay series of their parts.
 */
export function protobufFormat(timestamps: boolean, escaping: Escaping): Format {
  const scheme = escaping === "allow-utf-8" ? "; escaping=allow-utf-8" : ""
  const encodePair = createPairs()
  return {
    contentType: `application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited${scheme}`,
    holds: () => true,
    *family(family, read) {
      for (const name of family.names) {
        for (const [type, series] of Map.groupBy(read(name), (one) => typeOf(one, family))) {
          yield delimited(familyMessage(name, type, family, series, timestamps, encodePair))
        }
      }
    },
    end: "",
  }
}

function familyMessage(
  name: string,
  type: number,
  { family, metadata }: FamilyOfNames,
  series: readonly StoredSeries[],
  timestamps: boolean,
  encodePair: EncodePair,
): Buffer {
  const help = name === family || type === COUNTER ? (metadata?.help ?? "") : ""
  return Buffer.concat([
    textField(1, name),
    ...(help === "" ? [] : [textField(2, help)]),
    numberField(3, type),
    ...series.map((one) => lengthField(4, metricMessage(one, type, timestamps, encodePair))),
  ])
}

function typeOf({ name, sample }: StoredSeries, { family, metadata }: FamilyOfNames): number {
  if (!isFloat(sample)) return isGauge(sample) ? GAUGE_HISTOGRAM : HISTOGRAM
  const type = metadata?.type
  if (type === "counter") return isCreated(name, family) ? GAUGE : COUNTER
  return type === "gauge" || type === "info" || type === "stateset" ? GAUGE : UNTYPED
}

type EncodePair = (name: string, value: string) => Buffer

/** Each label of a response is encoded once. */
function createPairs(): EncodePair {
  const known = new Map<string, Buffer>()
  return (name, value) => {
    const key = `${name.length} ${name}${value}`
    const found = known.get(key)
    if (found !== undefined) return found
    const pair = lengthField(1, Buffer.concat([textField(1, name), textField(2, value)]))
    known.set(key, pair)
    return pair
  }
}

function metricMessage(
  { labels, sample, timestamp }: StoredSeries,
  type: number,
  timestamps: boolean,
  encodePair: EncodePair,
): Buffer {
  const hasInstance = labels.some(([name]) => name === "instance")
  return Buffer.concat([
    ...labels.map(([name, value]) => encodePair(name, value)),
    ...(hasInstance ? [] : [encodePair("instance", "")]),
    isFloat(sample)
      ? lengthField(VALUE_FIELD[type] ?? 5, doubleField(1, sample))
      : lengthField(7, histogramMessage(Buffer.from(sample))),
    ...(timestamps ? [numberField(6, timestamp)] : []),
  ])
}

/** Field by field: both messages have the same contents under other numbers, but for buckets with bounds of their own. */
function histogramMessage(message: Buffer): Buffer {
  const reader = new WireReader(message, "prometheus.Histogram")
  const fields: Buffer[] = []
  let hasSpans = false
  while (reader.next()) {
    if (reader.field === 4 && zigzag(message, reader) === CUSTOM_BUCKETS)
      return Buffer.concat(classicHistogram(message))
    const field = HISTOGRAM_FIELDS[reader.field]
    if (field === undefined || !WIRE_TYPES.has(reader.wireType)) continue
    hasSpans ||= field === NEGATIVE_SPAN || field === POSITIVE_SPAN
    const content = message.subarray(reader.start, reader.at)
    if (reader.wireType === LENGTH) fields.push(lengthField(field, content))
    else fields.push(varint(field * 8 + reader.wireType), content)
  }
  // by its spans a reader knows a native histogram: one without buckets has an empty one
  return Buffer.concat(hasSpans ? fields : [...fields, lengthField(POSITIVE_SPAN, Buffer.alloc(0))])
}

/** Cumulative buckets, which every version reads; floats only where there are any, as 2.42 does not read these. */
function classicHistogram(message: Buffer): readonly Buffer[] {
  const { count, sum, buckets } = classicBuckets(message)
  const whole = [count, ...buckets.map(([, cumulative]) => cumulative)].every(
    (one) => Number.isSafeInteger(one) && one >= 0,
  )
  const counted = (value: number): Buffer => (whole ? numberField(1, value) : doubleField(4, value))
  return [
    counted(count),
    doubleField(2, sum),
    ...buckets.map(([bound, cumulative]) =>
      lengthField(3, Buffer.concat([counted(cumulative), doubleField(2, bound)])),
    ),
  ]
}

function isGauge(sample: Uint8Array): boolean {
  const message = Buffer.from(sample.buffer, sample.byteOffset, sample.byteLength)
  const reader = new WireReader(message, "prometheus.Histogram")
  let gauge = false
  while (reader.next()) {
    if (reader.field === RESET_HINT) gauge = message[reader.start] === RESET_HINT_GAUGE
  }
  return gauge
}

function zigzag(message: Buffer, { start }: WireReader): number {
  const reader = new WireReader(message, "prometheus.Histogram", start)
  const value = reader.varint()
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2
}

const delimited = (message: Buffer): Buffer => Buffer.concat([varint(message.length), message])
const lengthField = (field: number, content: Buffer): Buffer =>
  Buffer.concat([varint(field * 8 + LENGTH), varint(content.length), content])
const textField = (field: number, text: string): Buffer => lengthField(field, Buffer.from(text))
const numberField = (field: number, value: number): Buffer => Buffer.concat([varint(field * 8 + VARINT), varint(value)])

function doubleField(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleLE(value)
  return Buffer.concat([varint(field * 8 + FIXED64), bytes])
}
