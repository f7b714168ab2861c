import assert from "node:assert/strict"
import protobuf from "protobufjs"
import { blockOf } from "../store.testing.ts"
import { decodePage } from "../store/read-response.ts"
import { SeriesReader } from "../store/series-reader.ts"
import type { StoredSeries } from "../store/series.ts"
import { AT } from "./format.testing.ts"

/** https://github.com/prometheus/client_model, in its field numbers. */
const { root } = protobuf.parse(`
syntax = "proto2";
enum MetricType { COUNTER = 0; GAUGE = 1; SUMMARY = 2; UNTYPED = 3; HISTOGRAM = 4; GAUGE_HISTOGRAM = 5; }
message LabelPair { optional string name = 1; optional string value = 2; }
message Value { optional double value = 1; }
message Bucket { optional uint64 cumulative_count = 1; optional double cumulative_count_float = 4; optional double upper_bound = 2; }
message BucketSpan { optional sint32 offset = 1; optional uint32 length = 2; }
message Histogram {
  optional uint64 sample_count = 1; optional double sample_count_float = 4; optional double sample_sum = 2;
  repeated Bucket bucket = 3; optional sint32 schema = 5; optional double zero_threshold = 6;
  optional uint64 zero_count = 7; optional double zero_count_float = 8;
  repeated BucketSpan negative_span = 9; repeated sint64 negative_delta = 10 [packed = true]; repeated double negative_count = 11 [packed = true];
  repeated BucketSpan positive_span = 12; repeated sint64 positive_delta = 13 [packed = true]; repeated double positive_count = 14 [packed = true];
}
message Metric {
  repeated LabelPair label = 1; optional Value gauge = 2; optional Value counter = 3; optional Value untyped = 5;
  optional Histogram histogram = 7; optional int64 timestamp_ms = 6;
}
message MetricFamily { optional string name = 1; optional string help = 2; optional MetricType type = 3; repeated Metric metric = 4; }
`)
const FAMILY = root.lookupType("MetricFamily")

/** Delimited messages, as they are in JSON: what a field is not there for is left out. */
export function decodeFamilies(bytes: Buffer): readonly object[] {
  const reader = protobuf.Reader.create(bytes)
  const families: object[] = []
  while (reader.pos < reader.len) {
    const decoded = FAMILY.toObject(FAMILY.decodeDelimited(reader), { longs: String, enums: String })
    families.push(JSON.parse(JSON.stringify(decoded, numbers)) as object)
  }
  assert.equal(reader.pos, bytes.length)
  return families
}

const numbers = (_: string, value: unknown): unknown =>
  typeof value === "number" && !Number.isFinite(value) ? String(value) : value

/** As it is read of a store: `histogram` is a `prometheus.Histogram` as JSON, with doubles as their bits. */
export function histogramSeries(
  name: string,
  labels: Readonly<Record<string, string>>,
  histogram: object,
  timestamp = AT,
): StoredSeries {
  const stored = { ...histogram, timestamp: String(timestamp) }
  const block = blockOf([{ labels: { __name__: name, ...labels }, histograms: [stored] }])
  const { message, places } = decodePage(block)
  const [start = 0, end = 0] = places.get(name) ?? []
  const series = new SeriesReader(message).read(start, end)
  assert.ok(series !== undefined)
  return series
}
