import { isUtf8 } from "node:buffer"
import { quote } from "../../tenants/quote.ts"
import { LENGTH, VARINT, type WireReader } from "../../wire/wire.ts"
import type { Destination, Routing } from "../routing/routing.ts"
import type { Families } from "./families.ts"
import type { Rejections } from "./rejections.ts"
import { routeOf } from "./routes.ts"
import type { SliceNumbers } from "./slice-numbers.ts"
import type { SlicesV1 } from "./slices-v1.ts"

const TYPE = 1
const FAMILY = 2
const HELP = 4
const UNIT = 5

/** A message has so many records at most; senders write some hundred in one. */
const MOST_RECORDS = 50_000

/** Where a record stands, and the name of its family in it. */
interface MetadataRecord {
  readonly start: number
  readonly end: number
  readonly type: number
  readonly nameStart: number
  readonly nameEnd: number
}

const NO_COUNTS = { samples: 0, histograms: 0, exemplars: 0 }

/** The metadata of a message of version 1: records without labels, which only their names say whose they are. */
export class MetadataV1 {
  unclaimed = 0
  readonly #message: Buffer
  readonly #records: MetadataRecord[] = []

  constructor(message: Buffer) {
    this.#message = message
  }

  get isEmpty(): boolean {
    return this.#records.length === 0
  }

  /** Reads what the reader has just read as a field from `start` on. Throws a refusal with status 400. */
  add(reader: WireReader, start: number): void {
    reader.require(LENGTH)
    if (this.#records.length === MOST_RECORDS) reader.refuse(`it has more than ${MOST_RECORDS} records of metadata`)
    const { at, end } = reader
    let [type, nameStart, nameEnd] = [0, start, start]
    reader.enter(reader.start, at)
    while (reader.next()) {
      if (reader.field === TYPE) {
        reader.require(VARINT)
        reader.enter(reader.start, at)
        type = reader.varint()
      } else if (reader.field === FAMILY || reader.field === HELP || reader.field === UNIT) reader.require(LENGTH)
      if (reader.field === FAMILY) [nameStart, nameEnd] = [reader.start, reader.at]
    }
    reader.enter(at, end)
    this.#records.push({ start, end: at, type, nameStart, nameEnd })
  }

  /**
   * Adds each record to the slices of the tenants that have its family, and of those that get series without a label. The
   * latter have these `values` of the deciding labels.
   */
  assign(
    { families, routing, values, now }: MetadataContext,
    numbers: SliceNumbers,
    slices: SlicesV1,
    rejections: Rejections,
  ): void {
    const route = routeOf(routing, values)
    const defaults = "refused" in route ? [] : route.destinations
    for (const { start, end, type, nameStart, nameEnd } of this.#records) {
      const name = this.#message.subarray(nameStart, nameEnd)
      if (name.length === 0) {
        rejections.add("", "metadata has no metric name", NO_COUNTS, () => "metadata", "malformed")
        continue
      }
      if (!isUtf8(name)) {
        const example = (): string => quote(name.toString("utf8", 0, 1000))
        rejections.add("", "the metric name of metadata is not UTF-8", NO_COUNTS, example, "malformed")
        continue
      }
      const tenants = new Set(families.tenantsOf(name.toString("latin1"), type, now))
      for (const { tenant } of defaults) tenants.add(tenant)
      if (tenants.size === 0) this.unclaimed++
      for (const tenant of tenants) {
        const found = numbers.find([{ tenant, strip: undefined } satisfies Destination], "")
        if ("refused" in found)
          rejections.add(tenant, found.refused, NO_COUNTS, () => quote(name.toString()), "too_many_tenants")
        else for (const slice of found) slices.addMetadata(slice, start, end)
      }
    }
  }
}

export interface MetadataContext {
  readonly families: Families
  readonly routing: Routing
  readonly values: readonly (string | undefined)[]
  readonly now: number
}
