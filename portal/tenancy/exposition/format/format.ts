import type { StoredSample, StoredSeries } from "../store/series.ts"
import type { FamilyOfNames } from "./metadata.ts"

/** How series are written. One is for one response: it remembers what it has written. */
export interface Format {
  readonly contentType: string
  /** Whether it can hold a sample; series with others are left out. */
  holds(sample: StoredSample): boolean
  /** A family in pieces, nothing where no name of it has series. */
  family(family: FamilyOfNames, read: ReadSeries): Iterable<string | Uint8Array>
  /** At the end of the response. */
  readonly end: string
}

/** The series of a name; those of a family can be read again while it is written. */
export type ReadSeries = (name: string) => Iterable<StoredSeries>

export const isFloat = (sample: StoredSample): sample is number => typeof sample === "number"

export function* readAll(names: Iterable<string>, read: ReadSeries): Generator<StoredSeries> {
  for (const name of names) yield* read(name)
}

export const labelOf = ({ labels }: StoredSeries, label: string): string | undefined =>
  labels.find(([name]) => name === label)?.[1]

/** Of a label `le` or `quantile`: NaN where it is none. */
export function boundOf(text: string | undefined): number {
  if (text === "+Inf") return Infinity
  return text !== undefined && /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text) ? Number(text) : Number.NaN
}
