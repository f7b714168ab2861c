import type { StoredSample, StoredSeries } from "../store/series.ts"
import { familiesOf, type FamilyMetadata, type Metadata } from "./metadata.ts"
import { openFormat, type WantedFormat } from "./negotiate.ts"

/** 2026-09-21. */
export const AT = 1_790_000_000_123

export function series(
  name: string,
  labels: Readonly<Record<string, string>>,
  sample: StoredSample,
  timestamp = AT,
): StoredSeries {
  return { name, labels: Object.entries(labels), sample, timestamp }
}

export const metadataOf = (known: Readonly<Record<string, Partial<FamilyMetadata>>>): Metadata =>
  new Map(Object.entries(known).map(([name, own]) => [name, { type: "unknown", help: "", unit: "", ...own }]))

/** A whole response. */
export function written(
  wanted: WantedFormat,
  all: readonly StoredSeries[],
  metadata: Metadata,
  timestamps = false,
): Buffer {
  const format = openFormat(wanted, timestamps)
  const byName = Map.groupBy(
    all.filter(({ sample }) => format.holds(sample)),
    ({ name }) => name,
  )
  const families = familiesOf(new Set(all.map(({ name }) => name)), metadata)
  const pieces = families.flatMap((family) => [...format.family(family, (name) => byName.get(name) ?? [])])
  return Buffer.concat([...pieces, format.end].map((piece) => Buffer.from(piece as string)))
}

export const textOf = (...parameters: Parameters<typeof written>): string => written(...parameters).toString("utf8")
