import { FIXED64, WireReader } from "../../wire/wire.ts"

export interface ClassicHistogram {
  readonly count: number
  readonly sum: number
  /** Upper bounds and how many there are at most so large, the last one +Inf. */
  readonly buckets: readonly (readonly [bound: number, cumulative: number])[]
}

/** A `prometheus.Histogram` with bounds of its own (schema -53) as a classic one. Throws MALFORMED_MESSAGE. */
export function classicBuckets(message: Buffer): ClassicHistogram {
  const reader = new WireReader(message, "prometheus.Histogram")
  let count = 0
  let sum = 0
  const spans: (readonly [offset: number, length: number])[] = []
  const deltas: number[] = []
  const counts: number[] = []
  const bounds: number[] = []
  while (reader.next()) {
    const { field, start, at } = reader
    if (field === 1) count = firstVarint(message, start, at)
    else if (field === 2) count = double(reader)
    else if (field === 3) sum = double(reader)
    else if (field === 11) spans.push(spanIn(message, start, at))
    else if (field === 12) for (const delta of varintsIn(message, start, at)) deltas.push(signed(delta))
    else if (field === 13) addDoubles(counts, message, start, at)
    else if (field === 16) addDoubles(bounds, message, start, at)
  }
  const own = counts.length > 0 ? counts : summed(deltas)
  const perBucket = new Map<number, number>()
  let bucket = 0
  let next = 0
  for (const [offset, length] of spans) {
    bucket += offset
    for (let index = 0; index < length && next < own.length; index++) perBucket.set(bucket++, own[next++] ?? 0)
  }
  let cumulative = 0
  const buckets = bounds.map((bound, index) => {
    cumulative += perBucket.get(index) ?? 0
    return [bound, cumulative] as const
  })
  return { count, sum, buckets: [...buckets, [Infinity, count]] }
}

function double(reader: WireReader): number {
  reader.require(FIXED64)
  return new DataView(reader.bytes.buffer, reader.bytes.byteOffset).getFloat64(reader.start, true)
}

function spanIn(message: Buffer, start: number, end: number): readonly [number, number] {
  const reader = new WireReader(message, "prometheus.BucketSpan", start, end)
  let offset = 0
  let length = 0
  while (reader.next()) {
    const value = firstVarint(message, reader.start, reader.at)
    if (reader.field === 1) offset = signed(value)
    else if (reader.field === 2) length = value
  }
  return [offset, length]
}

/** One of a field, or all of a packed one. */
function* varintsIn(message: Buffer, start: number, end: number): Generator<number> {
  const reader = new WireReader(message, "prometheus.Histogram", start, end)
  while (reader.at < end) yield reader.varint()
}

const firstVarint = (message: Buffer, start: number, end: number): number =>
  varintsIn(message, start, end).next().value ?? 0

function addDoubles(values: number[], message: Buffer, start: number, end: number): void {
  for (let at = start; at + 8 <= end; at += 8) values.push(message.readDoubleLE(at))
}

const signed = (value: number): number => (value % 2 === 0 ? value / 2 : -(value + 1) / 2)

function summed(deltas: readonly number[]): readonly number[] {
  let value = 0
  return deltas.map((delta) => (value += delta))
}
