import { LENGTH, WireReader } from "../../wire/wire.ts"
import { FedstackError } from "#core/errors.ts"
import { decodeBlock } from "../../wire/snappy.ts"
import { storeBadResponse } from "../errors.ts"
import { LabelReader, NAME } from "./label-reader.ts"

/** Bytes of series, uncompressed, that are read at once: a family must fit, since none is split. */
export const MOST_BYTES = 32 * 2 ** 20

/** The places of series in a message, by name. Two numbers each: where its `prometheus.TimeSeries` begins and ends. */
export type SeriesPlaces = ReadonlyMap<string, readonly number[]>

export interface DecodedPage {
  /** Uncompressed. */
  readonly message: Buffer
  /** Without those that have no name, which /federate leaves out too. */
  readonly places: SeriesPlaces
  /** Names that several selectors have brought series of, maybe the same. */
  readonly repeated: ReadonlySet<string>
  /** All of them. */
  readonly series: number
}

/** Of a `prometheus.ReadResponse` as a block of snappy, with a result for each selector. Throws UPSTREAM_BAD_RESPONSE. */
export function decodePage(block: Buffer): DecodedPage {
  try {
    const message = decodeBlock(block, MOST_BYTES)
    return { message, ...placesOf(message) }
  } catch (error) {
    throw explained(error)
  }
}

/** What is malformed is the store's, and no client's; everything else stays what it is. */
export function explained(error: unknown): unknown {
  if (!(error instanceof FedstackError)) return error
  switch (error.code) {
    case "MALFORMED_MESSAGE":
      return storeBadResponse({ problem: "its series are malformed" })
    case "MALFORMED_SNAPPY":
    case "MESSAGE_TOO_LARGE":
      return storeBadResponse({ problem: "its series are no snappy block" })
    default:
      return error
  }
}

/** Where the series of all queries are. Throws MALFORMED_MESSAGE. */
function placesOf(message: Buffer): Omit<DecodedPage, "message"> {
  const places = new Map<string, number[]>()
  const repeated = new Set<string>()
  /** The result that brought a name first. */
  const broughtBy = new Map<string, number>()
  const results = new WireReader(message, "prometheus.ReadResponse")
  const result = new WireReader(message, "prometheus.QueryResult", 0, 0)
  const series = new WireReader(message, "prometheus.TimeSeries", 0, 0)
  const labels = new LabelReader(message)
  let count = 0
  let total = 0
  while (results.next()) {
    if (results.field !== 1) continue
    results.require(LENGTH)
    total++
    result.enter(results.start, results.at)
    while (result.next()) {
      if (result.field !== 1) continue
      result.require(LENGTH)
      count++
      const name = nameIn(series, labels, result.start, result.at)
      if (name === "") continue
      const known = places.get(name)
      if (known === undefined) places.set(name, [result.start, result.at])
      else known.push(result.start, result.at)
      if (known !== undefined && broughtBy.get(name) !== total) repeated.add(name)
      if (known === undefined) broughtBy.set(name, total)
    }
  }
  return { places, repeated, series: count }
}

function nameIn(series: WireReader, labels: LabelReader, start: number, end: number): string {
  let place = 0
  series.enter(start, end)
  while (series.next()) {
    if (series.field !== 1) continue
    series.require(LENGTH)
    const [name, value] = labels.read(series.start, series.at, place++)
    if (name === NAME) return value
  }
  return ""
}
