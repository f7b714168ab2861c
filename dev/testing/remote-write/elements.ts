import { uncompressSync } from "snappy"
import { decodeMessage } from "./schema.ts"

export type Labels = Readonly<Record<string, string>>

/** A sample, histogram, exemplar or metadata of a request, such that what is the same is equal. */
export interface Element {
  readonly kind: "sample" | "histogram" | "exemplar" | "metadata"
  /** Of its series; of metadata: only the name of the family. */
  readonly labels: Labels
  /** Milliseconds; of metadata: 0. */
  readonly timestamp: number
  /** Its bits or fields. */
  readonly value: string
}

interface DecodedSample {
  readonly value: string
  readonly timestamp: string
}

interface DecodedExemplar extends DecodedSample {
  readonly labels: readonly DecodedLabel[]
}

interface DecodedLabel {
  readonly name?: string
  readonly value?: string
}

type DecodedHistogram = Readonly<Record<string, unknown>> & { readonly timestamp: string }

/** Each storage works out reset hints anew, and remote read has no bounds of custom buckets. */
const NOT_READ = { resetHint: undefined, customValues: undefined }

interface DecodedSeries {
  readonly labels: readonly DecodedLabel[]
  readonly samples: readonly DecodedSample[]
  readonly histograms: readonly DecodedHistogram[]
  readonly exemplars: readonly DecodedExemplar[]
}

interface DecodedV1 {
  readonly timeseries: readonly DecodedSeries[]
  readonly metadata: readonly { type?: number; family?: string; help?: string; unit?: string }[]
}

interface DecodedV2 {
  readonly symbols: readonly string[]
  readonly timeseries: readonly {
    readonly labelsRefs: readonly number[]
    readonly samples: readonly DecodedSample[]
    readonly histograms: readonly DecodedHistogram[]
    readonly exemplars: readonly (DecodedSample & { readonly labelsRefs: readonly number[] })[]
    readonly metadata?: { readonly type?: number; readonly helpRef?: number; readonly unitRef?: number }
  }[]
}

/** All elements of a body of remote write, in their order. */
export function elementsOf(body: Uint8Array, version: 1 | 2): readonly Element[] {
  const bytes = uncompressSync(Buffer.from(body)) as Buffer
  if (version === 2) return elementsOfV2(decodeMessage("V2", bytes) as DecodedV2)
  const { timeseries, metadata } = decodeMessage("V1", bytes) as DecodedV1
  return [
    ...timeseries.flatMap(elementsOfSeries),
    ...metadata.map(({ type, family = "", help, unit }) => metadataOf(family, type, help, unit)),
  ]
}

/** All elements of a response of remote read. */
export function elementsOfResponse(body: Uint8Array): readonly Element[] {
  const { results } = decodeMessage("ReadResponse", uncompressSync(Buffer.from(body)) as Buffer) as {
    results: readonly { timeseries: readonly DecodedSeries[] }[]
  }
  return results.flatMap(({ timeseries }) => timeseries.flatMap(elementsOfSeries))
}

function elementsOfV2({ symbols, timeseries }: DecodedV2): readonly Element[] {
  const text = (reference = 0): string => {
    const symbol = symbols[reference]
    if (symbol === undefined) throw new Error(`reference ${reference} of ${symbols.length} symbols`)
    return symbol
  }
  const labels = (references: readonly number[]): DecodedLabel[] =>
    Array.from({ length: references.length / 2 }, (_, index) => ({
      name: text(references[2 * index]),
      value: text(references[2 * index + 1]),
    }))
  return timeseries.flatMap(({ labelsRefs, samples, histograms, exemplars, metadata }) => {
    const series = {
      labels: labels(labelsRefs),
      samples,
      histograms,
      exemplars: exemplars.map((exemplar) => ({ ...exemplar, labels: labels(exemplar.labelsRefs) })),
    }
    const { __name__ = "" } = record(series.labels)
    const { type = 0, helpRef, unitRef } = metadata ?? {}
    const hasMetadata = type !== 0 || (helpRef ?? 0) !== 0 || (unitRef ?? 0) !== 0
    return [
      ...elementsOfSeries(series),
      ...(hasMetadata ? [metadataOf(__name__, type, text(helpRef), text(unitRef))] : []),
    ]
  })
}

function elementsOfSeries(series: DecodedSeries): readonly Element[] {
  const labels = record(series.labels)
  return [
    ...series.samples.map(({ value, timestamp }) => element("sample", labels, timestamp, value)),
    ...series.histograms.map(({ timestamp, ...fields }) =>
      element("histogram", labels, timestamp, JSON.stringify({ ...fields, ...NOT_READ })),
    ),
    ...series.exemplars.map((exemplar) =>
      element("exemplar", labels, exemplar.timestamp, `${JSON.stringify(record(exemplar.labels))} ${exemplar.value}`),
    ),
  ]
}

const metadataOf = (family: string, type = 0, help = "", unit = ""): Element =>
  element("metadata", { __name__: family }, "0", JSON.stringify([type, help, unit]))

/** A timestamp that is left out is 0, as proto3 has it. */
const element = (kind: Element["kind"], labels: Labels, timestamp: string | undefined, value: string): Element => ({
  kind,
  labels,
  timestamp: Number(timestamp ?? 0),
  value,
})

const record = (labels: readonly DecodedLabel[]): Labels =>
  Object.fromEntries(
    labels
      .map(({ name = "", value = "" }) => [name, value] as const)
      .toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)),
  )

/** What identifies an element: two with the same are one sent twice. */
export const keyOf = ({ kind, labels, timestamp, value }: Element): string =>
  `${kind} ${JSON.stringify(labels)} @${timestamp} ${value}`
