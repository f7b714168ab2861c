import type { TenantId } from "../../tenants/tenant.ts"
import type { Counts } from "../message/counts.ts"
import { encodeElements } from "../../wire/snappy.ts"
import { Output } from "./output.ts"
import type { Batch, Slice } from "./slice.ts"

const SERIES_TAG = 0x0a
/** Room for tag and length of a series. */
const MOST_HEAD = 6

/** Bytes of a slice that are compressed together: snappy does not look back further than half of them. */
const COMPRESSED_AT = 128 * 1024
/** Most slices are shorter than four times this. */
const FIRST_CAPACITY = 8 * 1024
/** Bytes for all slices together that are kept for the next message. */
const MOST_KEPT = 4 * 1024 * 1024

/** What is written of the slices, in the order of their first series. One message is split at a time. */
const outputs: Output[] = []

interface Growing {
  readonly out: Output
  /** Compressed already, and how many bytes it was. */
  readonly elements: Buffer[]
  bytes: number
  series: number
  metadata: number
  readonly counts: { samples: number; histograms: number; exemplars: number }
}

/**
 * Writes the slices of one message of version 1 while it is read: what is copied at once is still at hand for the processor,
 * and the message, five times as long as what is sent, need not wait for the upstream requests.
 */
export class SlicesV1 {
  readonly #message: Buffer
  readonly #slices: (Growing | undefined)[] = []
  #used = 0

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
    const { out } = growing
    out.reserve(MOST_HEAD + end - start)
    if (stripStart < 0) out.copy(this.#message, start, end)
    else {
      out.byte(SERIES_TAG)
      out.varint(end - content - (stripEnd - stripStart))
      out.copy(this.#message, content, stripStart)
      out.copy(this.#message, stripEnd, end)
    }
    if (out.at >= COMPRESSED_AT) compress(growing)
  }

  addMetadata(slice: number, start: number, end: number): void {
    const growing = this.#slice(slice)
    growing.metadata++
    growing.out.reserve(end - start)
    growing.out.copy(this.#message, start, end)
    if (growing.out.at >= COMPRESSED_AT) compress(growing)
  }

  /** Without those that have nothing in them. To be called once. */
  finish(names: readonly { readonly tenant: TenantId; readonly group: string }[]): readonly Slice[] {
    const slices = names.flatMap(({ tenant, group }, index) => {
      const growing = this.#slices[index]
      // all of its series were set aside
      if (growing === undefined) return []
      compress(growing)
      return [new SliceV1(tenant, group, growing)]
    })
    keepSome(outputs)
    return slices
  }

  #slice(index: number): Growing {
    const known = this.#slices[index]
    if (known !== undefined) return known
    const out = (outputs[this.#used++] ??= new Output(FIRST_CAPACITY))
    out.at = 0
    const counts = { samples: 0, histograms: 0, exemplars: 0 }
    const growing = { out, elements: [], bytes: 0, series: 0, metadata: 0, counts }
    this.#slices[index] = growing
    return growing
  }
}

function compress(growing: Growing): void {
  const { out } = growing
  growing.elements.push(encodeElements(out.bytes.subarray(0, out.at)))
  growing.bytes += out.at
  out.at = 0
}

function keepSome(all: Output[]): void {
  let bytes = 0
  const surplus = all.findIndex((out) => (bytes += out.bytes.length) > MOST_KEPT)
  if (surplus >= 0) all.length = surplus
}

class SliceV1 implements Slice {
  readonly version = 1
  readonly tenant: TenantId
  readonly group: string
  readonly series: number
  readonly metadata: number
  readonly counts: Counts
  readonly bytes: number
  readonly #elements: readonly Buffer[]

  constructor(tenant: TenantId, group: string, { series, metadata, counts, bytes, elements }: Growing) {
    this.tenant = tenant
    this.group = group
    this.series = series
    this.metadata = metadata
    this.counts = counts
    this.bytes = bytes
    this.#elements = elements
  }

  appendTo(batch: Batch): void {
    batch.chunks.push(...this.#elements)
    batch.decodedBytes += this.bytes
  }
}
