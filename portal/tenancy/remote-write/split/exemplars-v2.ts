import { MESSAGES } from "../message/media-type.ts"
import { WireReader } from "../../wire/wire.ts"
import { LabelSets } from "./label-sets.ts"
import { Portion } from "./portion-v2.ts"
import { sameSymbols } from "./same-symbols.ts"
import type { SeriesReader } from "./series-v2.ts"
import type { Spans } from "./spans.ts"
import type { Symbols } from "./symbols.ts"

/** Series with exemplars only, in a message. Prometheus sends some thousands; more are not worth the time. */
const MOST_JOINED = 2 ** 16

/** Series of one tenant and group. */
export interface TenantPortions {
  /** Those with samples or histograms. */
  readonly data: Portion
  /** Those with exemplars only. */
  exemplars: Portion
}

interface Message {
  readonly symbols: Symbols
  readonly series: Spans
  readonly reader: SeriesReader
  /** Numbers of the names of the tenant labels. */
  readonly tenantNames: readonly number[]
}

/**
 * Prometheus sends exemplars as series of their own, with the labels of the one that they belong to, and Cortex 1.21
 * refuses the whole request for a series without samples. So they are sent with the series that has the same labels for
 * the tenant; what remains in `exemplars` is without such a series in the message, and a request of its own.
 */
export function joinExemplars(portions: readonly TenantPortions[], message: Message): void {
  const concerned = portions.filter(({ exemplars }) => exemplars.series.length > 0)
  const count = concerned.reduce((sum, { exemplars }) => sum + exemplars.series.length, 0)
  if (count === 0 || count > MOST_JOINED) return
  const sets = labelSetsOf(concerned, message)
  for (const portion of concerned) joinOf(portion, sets, message)
}

/** Texts that stand twice among the symbols matter where a series with exemplars only has them. */
function labelSetsOf(portions: readonly TenantPortions[], { symbols, series, reader }: Message): LabelSets {
  const wanted = new Set<number>()
  for (const { exemplars } of portions) {
    for (const number of exemplars.series) {
      reader.read(series.starts[number] as number, series.ends[number] as number)
      const { values, length } = reader.labels
      for (let index = 0; index < length; index++) wanted.add(values[index] as number)
    }
  }
  return new LabelSets(symbols, series, new WireReader(symbols.bytes, MESSAGES[2]), sameSymbols(symbols, wanted))
}

function joinOf(portions: TenantPortions, sets: LabelSets, { series, reader, tenantNames }: Message): void {
  const { data, exemplars } = portions
  const nameOf = (strip: number): number => tenantNames[strip] ?? 0
  const byHash = new Map<number, number>()
  for (const [index, number] of data.series.entries()) {
    const hash = sets.hash(number, nameOf(data.strips[index] as number))
    if (!byHash.has(hash)) byHash.set(hash, index)
  }
  const alone = new Portion()
  for (const [index, number] of exemplars.series.entries()) {
    const strip = exemplars.strips[index] as number
    const [start, end] = [series.starts[number] as number, series.ends[number] as number]
    reader.read(start, end)
    const found = reader.others ? undefined : byHash.get(sets.hash(number, nameOf(strip)))
    const partner = found === undefined ? undefined : data.series[found]
    if (
      found !== undefined &&
      partner !== undefined &&
      sets.equal(number, nameOf(strip), partner, nameOf(data.strips[found] as number))
    ) {
      data.join(partner, number, end - start, reader)
    } else alone.add(number, strip, end - start, reader)
  }
  portions.exemplars = alone
}
