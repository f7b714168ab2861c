import protobuf from "protobufjs"
import type { Version } from "../message/version.ts"
import { readPlain, writeMessage } from "../split/v2.testing.ts"

// Messages of both versions, written and read by another implementation of protobuf.

const WriteRequest = protobuf
  .parse(
    `syntax = "proto3";
    message WriteRequest { repeated TimeSeries timeseries = 1; repeated MetricMetadata metadata = 3; }
    message TimeSeries {
      repeated Label labels = 1;
      repeated Sample samples = 2;
      repeated Exemplar exemplars = 3;
      repeated bytes histograms = 4;
    }
    message Label { string name = 1; string value = 2; }
    message Sample { double value = 1; int64 timestamp = 2; }
    message Exemplar { repeated Label labels = 1; double value = 2; int64 timestamp = 3; }
    message MetricMetadata { int32 type = 1; string metric_family_name = 2; string help = 4; }`,
    { keepCase: true },
  )
  .root.lookupType("WriteRequest")

export type LabelPair = readonly [name: string, value: string]

export interface TestSeries {
  readonly labels: readonly LabelPair[]
  /** Values of samples, at times that count from 1. */
  readonly samples: readonly number[]
  /** Values of exemplars. */
  readonly exemplars: readonly number[]
}

const TRACE: LabelPair = ["trace_id", "t"]

export function write(version: Version, series: readonly TestSeries[], families: readonly string[] = []): Buffer {
  const samplesOf = ({ samples }: TestSeries) => samples.map((value, index) => ({ value, timestamp: index + 1 }))
  if (version === 2) {
    return writeMessage(
      series.map((one) => ({
        labels: one.labels.flat(),
        samples: samplesOf(one),
        exemplars: one.exemplars.map((value) => ({ labels: [...TRACE], value, timestamp: 1 })),
      })),
    )
  }
  const named = (labels: readonly LabelPair[]) => labels.map(([name, value]) => ({ name, value }))
  const timeseries = series.map((one) => ({
    labels: named(one.labels),
    samples: samplesOf(one),
    exemplars: one.exemplars.map((value) => ({ labels: named([TRACE]), value, timestamp: 1 })),
  }))
  const metadata = families.map((name) => ({ type: 1, metric_family_name: name, help: `of ${name}` }))
  return Buffer.from(WriteRequest.encode(WriteRequest.fromObject({ timeseries, metadata })).finish())
}

interface RawV1 {
  readonly timeseries: readonly {
    readonly labels: readonly { readonly name: string; readonly value: string }[]
    readonly samples: readonly { readonly value: number }[]
    readonly exemplars: readonly { readonly value: number }[]
  }[]
  readonly metadata: readonly { readonly metric_family_name: string }[]
}

const readV1 = (message: Buffer): RawV1 =>
  WriteRequest.toObject(WriteRequest.decode(message), { longs: String, defaults: true }) as RawV1

export function read(version: Version, message: Buffer): readonly TestSeries[] {
  const valuesOf = (all: readonly object[]) => (all as readonly { readonly value: number }[]).map(({ value }) => value)
  if (version === 2) {
    return readPlain(message).map(({ labels, samples, exemplars }) => ({
      labels,
      ...{ samples: valuesOf(samples), exemplars: valuesOf(exemplars) },
    }))
  }
  return readV1(message).timeseries.map(({ labels, samples, exemplars }) => ({
    labels: labels.map(({ name, value }) => [name, value] as const),
    ...{ samples: valuesOf(samples), exemplars: valuesOf(exemplars) },
  }))
}

/** Of version 1. */
export const readFamilies = (message: Buffer): readonly string[] =>
  readV1(message).metadata.map(({ metric_family_name: name }) => name)
