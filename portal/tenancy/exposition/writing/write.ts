import { setImmediate } from "node:timers/promises"
import { tooManySeries } from "#core/response-cache/send.ts"
import type { openBody } from "./body.ts"
import type { Format, ReadSeries } from "../format/format.ts"
import { familiesOf, type Metadata } from "../format/metadata.ts"
import { type DecodedPage, explained } from "../store/read-response.ts"
import { SeriesReader } from "../store/series-reader.ts"
import type { StoredSeries } from "../store/series.ts"

/** What was read of one tenant. */
export interface TenantPage extends DecodedPage {
  /** What its series are told apart by where a client reads several tenants. */
  readonly label: readonly [name: string, value: string] | undefined
}

/** Pieces that are written in one turn of the event loop. */
const TURN = 2000

/** Writes the series of all pages, family by family; each series once. Throws TOO_MANY_SERIES beyond `mostSeries`, and UPSTREAM_BAD_RESPONSE. */
export async function writePages(
  pages: readonly TenantPage[],
  metadata: Metadata,
  format: Format,
  body: ReturnType<typeof openBody>,
  written: { series: number },
  mostSeries: number,
): Promise<void> {
  const names = new Set(pages.flatMap(({ places }) => [...places.keys()]))
  const count = (): void => {
    if (++written.series > mostSeries) throw tooManySeries({ limit: mostSeries })
  }
  let pieces = 0
  for (const family of familiesOf(names, metadata)) {
    const read = countedOnce((name) => seriesOf(pages, name, format), count)
    for (const piece of wellFormed(format.family(family, read))) {
      const full = body.write(piece)
      if (full !== undefined) await full
      if (++pieces % TURN === 0) await setImmediate()
    }
  }
}

/** What is within a histogram is read only when it is written. */
function* wellFormed<Piece>(pieces: Iterable<Piece>): Generator<Piece> {
  try {
    yield* pieces
  } catch (error) {
    throw explained(error)
  }
}

/** A format may read a name again. */
function countedOnce(read: ReadSeries, count: () => void): ReadSeries {
  const counted = new Map<string, number>()
  return function* series(name) {
    let number = 0
    for (const one of read(name)) {
      if (++number > (counted.get(name) ?? 0)) {
        counted.set(name, number)
        count()
      }
      yield one
    }
  }
}

/** Those that the format can hold, each once. */
function* seriesOf(pages: readonly TenantPage[], name: string, format: Format): Generator<StoredSeries> {
  for (const page of pages) {
    const seen = page.repeated.has(name) ? new Set<string>() : undefined
    for (const series of readAll(page, name)) {
      if (!format.holds(series.sample)) continue
      if (seen !== undefined) {
        const key = JSON.stringify(series.labels)
        if (seen.has(key)) continue
        seen.add(key)
      }
      yield series
    }
  }
}

function* readAll({ message, places, label }: TenantPage, name: string): Generator<StoredSeries> {
  const reader = new SeriesReader(message)
  const found = places.get(name) ?? []
  for (let at = 0; at < found.length; at += 2) {
    const series = reader.read(found[at] ?? 0, found[at + 1] ?? 0)
    if (series !== undefined) yield label === undefined ? series : { ...series, labels: withLabel(series, label) }
  }
}

/** As Prometheus renames what a target has of a label that is set for it. */
function withLabel({ labels }: StoredSeries, [name, value]: readonly [string, string]): StoredSeries["labels"] {
  const taken = new Set(labels.map(([own]) => own))
  let renamed = name
  while (taken.has(renamed)) renamed = `exported_${renamed}`
  return [...labels.map(([own, text]) => [own === name ? renamed : own, text] as const), [name, value]]
}
