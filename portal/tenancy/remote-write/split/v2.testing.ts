import protobuf from "protobufjs"
import { uncompressSync } from "snappy"
import { encodeElements, preamble } from "../../wire/snappy.ts"
import type { TenantId } from "../../tenants/tenant.ts"
import type { Routing } from "../routing/routing.ts"
import { decode } from "./oracle-v2.testing.ts"
import type { Batch, Slice } from "./slice.ts"

// An independent reader and writer of version 2: tests compare with it what is read and written in place.

const root = protobuf.parse(
  `syntax = "proto3";
  package io.prometheus.write.v2;
  message Request { repeated string symbols = 4; repeated TimeSeries timeseries = 5; }
  message TimeSeries {
    repeated uint32 labels_refs = 1;
    repeated Sample samples = 2;
    repeated Histogram histograms = 3;
    repeated Exemplar exemplars = 4;
    Metadata metadata = 5;
    int64 created_timestamp = 6;
  }
  message Exemplar { repeated uint32 labels_refs = 1; double value = 2; int64 timestamp = 3; }
  message Sample { double value = 1; int64 timestamp = 2; int64 start_timestamp = 3; }
  message Metadata { int32 type = 1; uint32 help_ref = 3; uint32 unit_ref = 4; }
  message BucketSpan { sint32 offset = 1; uint32 length = 2; }
  message Histogram {
    oneof count { uint64 count_int = 1; double count_float = 2; }
    double sum = 3;
    sint32 schema = 4;
    double zero_threshold = 5;
    oneof zero_count { uint64 zero_count_int = 6; double zero_count_float = 7; }
    repeated BucketSpan negative_spans = 8;
    repeated sint64 negative_deltas = 9;
    repeated double negative_counts = 10;
    repeated BucketSpan positive_spans = 11;
    repeated sint64 positive_deltas = 12;
    repeated double positive_counts = 13;
    int32 reset_hint = 14;
    int64 timestamp = 15;
    repeated double custom_values = 16;
    int64 start_timestamp = 17;
  }`,
  { keepCase: true },
).root
const Request = root.lookupType("io.prometheus.write.v2.Request")

export type LabelPair = readonly [name: string, value: string]

/** A series with its texts instead of references. Numbers of 64 bits are texts, so that none is rounded. */
export interface PlainSeries {
  readonly labels: readonly LabelPair[]
  readonly samples: readonly object[]
  readonly histograms: readonly object[]
  readonly exemplars: readonly { readonly labels: readonly LabelPair[]; readonly value: number; readonly t: string }[]
  readonly metadata: { readonly type: number; readonly help: string; readonly unit: string }
  readonly created: string
}

interface RawSeries {
  readonly labels_refs: readonly number[]
  readonly samples: readonly object[]
  readonly histograms: readonly object[]
  readonly exemplars: readonly {
    readonly labels_refs: readonly number[]
    readonly value: number
    readonly timestamp: string
  }[]
  readonly metadata: { readonly type: number; readonly help_ref: number; readonly unit_ref: number } | null
  readonly created_timestamp: string
}

export function readPlain(message: Uint8Array): readonly PlainSeries[] {
  const raw = Request.toObject(Request.decode(message), { longs: String, defaults: true }) as {
    readonly symbols: readonly string[]
    readonly timeseries: readonly RawSeries[]
  }
  const text = (reference: number) => {
    const symbol = raw.symbols[reference]
    if (symbol === undefined) throw new Error(`reference ${reference} is out of range`)
    return symbol
  }
  const pairs = (references: readonly number[]): readonly LabelPair[] =>
    Array.from({ length: references.length / 2 }, (_, index) => [
      text(references[2 * index] as number),
      text(references[2 * index + 1] as number),
    ])
  const optional = (reference: number) => (reference === 0 ? "" : text(reference))
  return raw.timeseries.map((series) => ({
    labels: pairs(series.labels_refs),
    samples: series.samples,
    histograms: series.histograms,
    exemplars: series.exemplars.map(({ labels_refs, value, timestamp }) => ({
      labels: pairs(labels_refs),
      value,
      t: timestamp,
    })),
    metadata: {
      type: series.metadata?.type ?? 0,
      help: optional(series.metadata?.help_ref ?? 0),
      unit: optional(series.metadata?.unit_ref ?? 0),
    },
    created: series.created_timestamp,
  }))
}

/** The message that one request with these slices has. */
export const messageOf = (...slices: readonly Slice[]): Buffer => messageBehind(0, ...slices)

/** The same behind symbols of others: as many, with which references take more bytes. */
export function messageBehind(others: number, ...slices: readonly Slice[]): Buffer {
  const frames = ["", ...Array.from({ length: others }, (_, index) => `${OTHERS}${index}`)].map((text) =>
    Buffer.concat([Buffer.from([0x22, text.length]), Buffer.from(text)]),
  )
  const before = others === 0 ? Buffer.alloc(0) : Buffer.concat(frames)
  const batch: Batch = {
    version: 2,
    symbols: others === 0 ? 0 : others + 1,
    decodedBytes: before.length,
    chunks: [encodeElements(before)],
  }
  for (const slice of slices) slice.appendTo(batch)
  const message = uncompressSync(Buffer.concat([preamble(batch.decodedBytes), ...batch.chunks])) as Buffer
  const { symbols } = decode(message)
  if (symbols[0] !== "" || symbols.indexOf("", 1) !== -1) throw new Error("the empty symbol is not the first and only")
  if (symbols.length !== batch.symbols) throw new Error(`${batch.symbols} symbols are noted, ${symbols.length} written`)
  return message
}

export const OTHERS = "others-"

/** A text, or a reference as it is. */
type Symbol = string | number

/** A series to write, with texts instead of references. */
export interface Given {
  readonly labels: readonly Symbol[]
  readonly samples?: readonly object[]
  readonly histograms?: readonly object[]
  readonly exemplars?: readonly {
    readonly labels: readonly Symbol[]
    readonly value: number
    readonly timestamp: number
  }[]
  readonly metadata?: { readonly type: number; readonly help: Symbol; readonly unit: Symbol }
}

/** `symbolsTwice`: no symbol is used again. */
export function writeMessage(series: readonly Given[], { symbolsTwice = false } = {}): Buffer {
  const symbols = [""]
  const refer = (symbol: Symbol): number => {
    if (typeof symbol === "number") return symbol
    const known = symbolsTwice ? -1 : symbols.indexOf(symbol)
    return known === -1 ? symbols.push(symbol) - 1 : known
  }
  const timeseries = series.map(({ labels, exemplars, metadata, ...rest }) => ({
    ...rest,
    labels_refs: labels.map(refer),
    exemplars: exemplars?.map((exemplar) => ({ ...exemplar, labels_refs: exemplar.labels.map(refer) })),
    metadata: metadata && { type: metadata.type, help_ref: refer(metadata.help), unit_ref: refer(metadata.unit) },
  }))
  return Buffer.from(Request.encode(Request.fromObject({ symbols, timeseries })).finish())
}

/** `up{job="a"} 1@1000`: its floats. */
export function shown({ labels, samples }: PlainSeries): string {
  const name = labels.find(([label]) => label === "__name__")?.[1] ?? ""
  const others = labels.filter(([label]) => label !== "__name__").map(([label, value]) => `${label}="${value}"`)
  const floats = (samples as readonly { readonly value: number; readonly timestamp: string }[]).map(
    ({ value, timestamp }) => ` ${value}@${timestamp}`,
  )
  return `${name}${others.length === 0 ? "" : `{${others.join(",")}}`}${floats.join("")}`
}

/** By the label `tenant_id`, which is left out then; without it to tenant 0. A tenant `!` is refused. */
export const routeByLabel = (settings: Partial<Routing> = {}): Routing => ({
  tenantLabels: ["tenant_id"],
  groupLabels: [],
  mostTenants: 100,
  route: ([value]) =>
    value === "!"
      ? { refused: 'tenant "!" is not allowed', tenant: "!" }
      : value === undefined
        ? { destinations: [{ tenant: "0" as TenantId, strip: undefined }], byDefault: true }
        : { destinations: [{ tenant: value as TenantId, strip: 0 }], byDefault: false },
  ...settings,
})
