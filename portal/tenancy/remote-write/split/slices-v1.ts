import type { TenantId } from "../../tenants/tenant.ts"
import type { Counts } from "../message/counts.ts"
import { encodeElements } from "../../wire/snappy.ts"
import type { Batch, Slice } from "./slice.ts"

const SERIES_TAG = 0x0a

/** Of a part of a slice: the start, content and end of its field, what is left out of it, and the next part. */
const [START, CONTENT, END, STRIP_START, STRIP_END, NEXT, NUMBERS] = [0, 1, 2, 3, 4, 5, 6]
const NONE = -1
/** Bytes that a loop copies faster than a call of the engine. */
const SHORT = 32

interface Growing {
  head: number
  tail: number
  bytes: number
  series: number
  metadata: number
  readonly counts: { samples: number; histograms: number; exemplars: number }
}

/** Parts of a message by slice: numbers side by side, no object for each. */
export class Parts {
  readonly #message: Buffer
  readonly #slices: Growing[] = []
  #parts = new Int32Array(NUMBERS * 4096)
  #length = 0

  constructor(message: Buffer) {
    this.#message = message
  }

  /** `stripStart` is that of a label within the series that is left out, or -1. */
  addSeries(
    slice: number,
    start: number,
    content: number,
    end: number,
    stripStart: number,
    stripEnd: number,
    counts: Counts,
  ): void {
    const growing = this.#slice(slice)
    growing.series++
    growing.counts.samples += counts.samples
    growing.counts.histograms += counts.histograms
    growing.counts.exemplars += counts.exemplars
    if (stripStart < 0) {
      growing.bytes += end - start
      this.#append(growing, start, content, end, NONE, NONE)
      return
    }
    const length = end - content - (stripEnd - stripStart)
    growing.bytes += 1 + varintBytes(length) + length
    this.#append(growing, start, content, end, stripStart, stripEnd)
  }

  addMetadata(slice: number, start: number, end: number): void {
    const growing = this.#slice(slice)
    growing.metadata++
    growing.bytes += end - start
    this.#append(growing, start, start, end, NONE, NONE)
  }

  /** Without those that have no part. */
  slices(names: readonly { readonly tenant: TenantId; readonly group: string }[]): readonly Slice[] {
    return names.flatMap(({ tenant, group }, index) => {
      const growing = this.#slices[index]
      // all of its series were set aside
      if (growing === undefined) return []
      const { head, bytes, series, metadata, counts } = growing
      return [new SliceV1(tenant, group, series, metadata, counts, bytes, () => this.#encode(head, bytes))]
    })
  }

  #slice(index: number): Growing {
    const known = this.#slices[index]
    if (known !== undefined) return known
    const counts = { samples: 0, histograms: 0, exemplars: 0 }
    const growing = { head: NONE, tail: NONE, bytes: 0, series: 0, metadata: 0, counts }
    this.#slices[index] = growing
    return growing
  }

  #append(growing: Growing, start: number, content: number, end: number, stripStart: number, stripEnd: number): void {
    const at = this.#length
    if (at === this.#parts.length) {
      const smaller = this.#parts
      this.#parts = new Int32Array(2 * smaller.length)
      this.#parts.set(smaller)
    }
    const parts = this.#parts
    parts[at + START] = start
    parts[at + CONTENT] = content
    parts[at + END] = end
    parts[at + STRIP_START] = stripStart
    parts[at + STRIP_END] = stripEnd
    parts[at + NEXT] = NONE
    this.#length += NUMBERS
    if (growing.head < 0) growing.head = at
    else parts[growing.tail + NEXT] = at
    growing.tail = at
  }

  #encode(head: number, bytes: number): Buffer {
    const message = this.#message
    const parts = this.#parts
    const out = scratchOf(bytes)
    let length = 0
    const copy = (start: number, end: number): void => {
      if (end - start > SHORT) {
        message.copy(out, length, start, end)
        length += end - start
      } else for (let at = start; at < end; at++) out[length++] = message[at] as number
    }
    for (let at = head; at >= 0; at = parts[at + NEXT] as number) {
      const [start, end] = [parts[at + START] as number, parts[at + END] as number]
      const stripStart = parts[at + STRIP_START] as number
      if (stripStart < 0) {
        copy(start, end)
        continue
      }
      const content = parts[at + CONTENT] as number
      const stripEnd = parts[at + STRIP_END] as number
      out[length++] = SERIES_TAG
      let rest = end - content - (stripEnd - stripStart)
      for (; rest >= 0x80; rest >>>= 7) out[length++] = (rest & 0x7f) | 0x80
      out[length++] = rest
      copy(content, stripStart)
      copy(stripEnd, end)
    }
    return encodeElements(out.subarray(0, length))
  }
}

class SliceV1 implements Slice {
  readonly version = 1
  readonly tenant: TenantId
  readonly group: string
  readonly series: number
  readonly metadata: number
  readonly counts: Counts
  readonly bytes: number
  /** Until it is encoded; then the message is no longer needed. */
  #encode: (() => Buffer) | undefined
  #elements: Buffer | undefined

  constructor(
    tenant: TenantId,
    group: string,
    series: number,
    metadata: number,
    counts: Counts,
    bytes: number,
    encode: () => Buffer,
  ) {
    this.tenant = tenant
    this.group = group
    this.series = series
    this.metadata = metadata
    this.counts = counts
    this.bytes = bytes
    this.#encode = encode
  }

  appendTo(batch: Batch): void {
    this.#elements ??= this.#encode?.() ?? Buffer.alloc(0)
    this.#encode = undefined
    batch.chunks.push(this.#elements)
    batch.decodedBytes += this.bytes
  }
}

const MOST_SCRATCH = 4 * 1024 * 1024
let scratch = Buffer.alloc(64 * 1024)

/** Memory that is used for one slice after the other, unless it is uncommonly large. */
function scratchOf(bytes: number): Buffer {
  if (bytes <= scratch.length) return scratch
  const larger = Buffer.alloc(bytes)
  if (bytes <= MOST_SCRATCH) scratch = larger
  return larger
}

function varintBytes(value: number): number {
  let bytes = 1
  for (let rest = value; rest >= 0x80; rest >>>= 7) bytes++
  return bytes
}
