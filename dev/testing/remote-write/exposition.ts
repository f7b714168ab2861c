import protobuf from "protobufjs"

/** What Prometheus scrapes in the format of io.prometheus.client, the only one with native histograms. */
const SCHEMA = `
syntax = "proto3";
message LabelPair { string name = 1; string value = 2; }
message Timestamp { int64 seconds = 1; int32 nanos = 2; }
message Exemplar { repeated LabelPair label = 1; double value = 2; Timestamp timestamp = 3; }
message Gauge { double value = 1; }
message Counter { double value = 1; Exemplar exemplar = 2; }
message Bucket { uint64 cumulative_count = 1; double upper_bound = 2; Exemplar exemplar = 3; }
message Span { sint32 offset = 1; uint32 length = 2; }
message Histogram {
  uint64 sample_count = 1; double sample_sum = 2; repeated Bucket bucket = 3; sint32 schema = 5; double zero_threshold = 6;
  uint64 zero_count = 7; repeated Span negative_span = 9; repeated sint64 negative_delta = 10; repeated Span positive_span = 12;
  repeated sint64 positive_delta = 13;
}
message Metric { repeated LabelPair label = 1; Gauge gauge = 2; Counter counter = 3; Histogram histogram = 7; }
message Family { string name = 1; string help = 2; int32 type = 3; repeated Metric metric = 4; }
`
const family = protobuf.parse(SCHEMA).root.lookupType("Family")

export const CONTENT_TYPE =
  "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"

const [COUNTER, GAUGE, HISTOGRAM] = [0, 1, 4]

/**
 * Of each tenant: `series` gauges, a counter with an exemplar, a native histogram and one with buckets, that all grow with
 * `round`. Of `vanishing` ones each second round has none.
 */
export function exposition(tenants: readonly string[], round: number, series: number): Buffer {
  const metrics = (make: (tenant: string) => readonly object[]): object[] =>
    tenants.flatMap((tenant) =>
      make(tenant).map((metric) => ({
        ...metric,
        label: [
          ...("label" in metric ? (metric.label as object[]) : []),
          ...(tenant === "" ? [] : [{ name: "tenant_id", value: tenant }]),
        ],
      })),
    )
  const families = [
    {
      name: "test_gauge",
      help: "Rounds, by number.",
      type: GAUGE,
      metric: metrics((tenant) =>
        Array.from({ length: series }, (_, number) => ({
          label: [{ name: "number", value: String(number) }],
          gauge: { value: round + number / 1000 + tenant.length },
        })),
      ),
    },
    {
      name: "test_vanishing",
      help: "Gone each second time.",
      type: GAUGE,
      metric: round % 2 === 0 ? [] : metrics(() => [{ gauge: { value: round } }]),
    },
    {
      name: "test_requests_total",
      help: "Counts rounds.",
      type: COUNTER,
      metric: metrics((tenant) => [
        {
          counter: {
            value: round,
            exemplar: { label: [{ name: "trace_id", value: `${tenant}-${round}` }], value: 1, timestamp: now() },
          },
        },
      ]),
    },
    {
      name: "test_native_seconds",
      help: "A native histogram.",
      type: HISTOGRAM,
      metric: metrics(() => [
        {
          histogram: {
            sampleCount: 3 * round,
            sampleSum: 4.5 * round,
            schema: 3,
            zeroThreshold: 1e-9,
            zeroCount: round,
            positiveSpan: [
              { offset: 1, length: 1 },
              { offset: 4, length: 1 },
            ],
            positiveDelta: [round, 0],
          },
        },
      ]),
    },
    {
      name: "test_bucketed_seconds",
      help: "A histogram with buckets.",
      type: HISTOGRAM,
      metric: metrics((tenant) => [
        {
          histogram: {
            sampleCount: 2 * round,
            sampleSum: round,
            bucket: [
              {
                cumulativeCount: round,
                upperBound: 0.5,
                exemplar: {
                  label: [{ name: "trace_id", value: `b-${tenant}-${round}` }],
                  value: 0.25,
                  timestamp: now(),
                },
              },
              { cumulativeCount: 2 * round, upperBound: Infinity },
            ],
          },
        },
      ]),
    },
  ]
  return Buffer.concat(
    families
      .filter(({ metric }) => metric.length > 0)
      .map((message) => Buffer.from(family.encodeDelimited(family.fromObject(message)).finish())),
  )
}

function now(): object {
  const milliseconds = Date.now()
  return { seconds: Math.floor(milliseconds / 1000), nanos: (milliseconds % 1000) * 1_000_000 }
}
