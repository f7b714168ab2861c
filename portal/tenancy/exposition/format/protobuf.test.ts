import assert from "node:assert/strict"
import { test } from "node:test"
import { bitsOf } from "../../../../dev/testing/remote-write/schema.ts"
import { decodeFamilies, histogramSeries } from "./families.testing.ts"
import { metadataOf, series, written } from "./format.testing.ts"
import type { WantedFormat } from "./negotiate.ts"

const WANTED: WantedFormat = { kind: "protobuf", escaping: "underscores" }
const instance = (value = ""): object => ({ name: "instance", value })

test("protobuf has each name as a family of its own, with its type, and help where it is of this name", () => {
  const all = [
    ...[series("c_total", { a: "1" }, 2), series("c_total", { instance: "i" }, 3), series("c_created", {}, 1)],
    ...[series("g", {}, Number.NaN), series("i_info", {}, 1), series("u", {}, -0)],
    ...[series("h_bucket", { le: "+Inf" }, 5), series("h_count", {}, 5), series("s", { quantile: "0.5" }, 6)],
  ]
  const metadata = metadataOf({
    c: { type: "counter", help: "C.\n" },
    g: { type: "gauge", help: "G." },
    h: { type: "histogram", help: "H." },
    i: { type: "info", help: "I." },
    s: { type: "summary", help: "S." },
    secret: { type: "gauge", help: "Secret." },
  })
  const one = (type: string, value: number | string, ...label: object[]): object => ({ label, [type]: { value } })
  assert.deepEqual(decodeFamilies(written(WANTED, all, metadata)), [
    { name: "c_created", type: "GAUGE", metric: [one("gauge", 1, instance())] },
    {
      ...{ name: "c_total", help: "C.\n", type: "COUNTER" },
      metric: [one("counter", 2, { name: "a", value: "1" }, instance()), one("counter", 3, instance("i"))],
    },
    { name: "g", help: "G.", type: "GAUGE", metric: [one("gauge", "NaN", instance())] },
    { name: "h_bucket", type: "UNTYPED", metric: [one("untyped", 5, { name: "le", value: "+Inf" }, instance())] },
    { name: "h_count", type: "UNTYPED", metric: [one("untyped", 5, instance())] },
    { name: "i_info", type: "GAUGE", metric: [one("gauge", 1, instance())] },
    {
      name: "s",
      help: "S.",
      type: "UNTYPED",
      metric: [one("untyped", 6, { name: "quantile", value: "0.5" }, instance())],
    },
    { name: "u", type: "UNTYPED", metric: [one("untyped", 0, instance())] },
  ])
})

/** What a store has of a histogram, and what is written of it. */
const HISTOGRAMS: Readonly<Record<string, readonly [stored: object, type: string, histogram: object]>> = {
  "with integers": [
    {
      ...{ countInt: "12", sum: bitsOf(-1.5), schema: 3, zeroThreshold: bitsOf(0.001), zeroCountInt: "2" },
      ...{ negativeSpans: [{ offset: -3, length: 1 }], negativeDeltas: ["1"] },
      ...{
        positiveSpans: [
          { offset: 0, length: 2 },
          { offset: 70_000, length: 1 },
        ],
        positiveDeltas: ["5", "-3", "300"],
      },
    },
    "HISTOGRAM",
    {
      ...{ sampleCount: "12", sampleSum: -1.5, schema: 3, zeroThreshold: 0.001, zeroCount: "2" },
      ...{ negativeSpan: [{ offset: -3, length: 1 }], negativeDelta: ["1"] },
      ...{
        positiveSpan: [{ length: 2 }, { offset: 70_000, length: 1 }],
        positiveDelta: ["5", "-3", "300"],
      },
    },
  ],
  "with floats": [
    {
      ...{
        countFloat: bitsOf(2.5),
        sum: bitsOf(Infinity),
        schema: -4,
        zeroThreshold: bitsOf(0),
        zeroCountFloat: bitsOf(0.5),
      },
      ...{ negativeSpans: [{ offset: 1, length: 1 }], negativeCounts: [bitsOf(0.25)] },
      ...{ positiveSpans: [{ offset: 0, length: 1 }], positiveCounts: [bitsOf(1.75)], resetHint: 2 },
    },
    "HISTOGRAM",
    {
      ...{ sampleCountFloat: 2.5, sampleSum: "Infinity", schema: -4, zeroCountFloat: 0.5 },
      ...{ negativeSpan: [{ offset: 1, length: 1 }], negativeCount: [0.25] },
      ...{ positiveSpan: [{ length: 1 }], positiveCount: [1.75] },
    },
  ],
  "of a gauge": [
    { countInt: "1", schema: 0, positiveSpans: [{ offset: 0, length: 1 }], positiveDeltas: ["1"], resetHint: 3 },
    "GAUGE_HISTOGRAM",
    { sampleCount: "1", positiveSpan: [{ length: 1 }], positiveDelta: ["1"] },
  ],
  "without observations, known to be native by an empty span": [
    { countInt: "0", sum: bitsOf(0), schema: 1 },
    "HISTOGRAM",
    { schema: 1, positiveSpan: [{}] },
  ],
  "with buckets of its own as a classic one": [
    {
      ...{ countInt: "16", sum: bitsOf(7), schema: -53, customValues: [0.5, 1, 5, 10].map(bitsOf) },
      ...{
        positiveSpans: [
          { offset: 1, length: 1 },
          { offset: 1, length: 2 },
        ],
        positiveDeltas: ["3", "1", "5"],
      },
    },
    "HISTOGRAM",
    {
      ...{ sampleCount: "16", sampleSum: 7 },
      bucket: [
        [0, 0.5],
        [3, 1],
        [3, 5],
        [7, 10],
        [16, "Infinity"],
      ].map(([count, upperBound]) => ({
        cumulativeCount: String(count),
        upperBound,
      })),
    },
  ],
  "with buckets of its own and floats as a classic one": [
    {
      ...{ countFloat: bitsOf(2.5), sum: bitsOf(7), schema: -53, customValues: [bitsOf(-1)] },
      ...{ positiveSpans: [{ offset: 0, length: 2 }], positiveCounts: [bitsOf(0.5), bitsOf(2)] },
    },
    "HISTOGRAM",
    {
      ...{ sampleCountFloat: 2.5, sampleSum: 7 },
      bucket: [
        { cumulativeCountFloat: 0.5, upperBound: -1 },
        { cumulativeCountFloat: 2.5, upperBound: "Infinity" },
      ],
    },
  ],
}
for (const [name, [stored, type, histogram]] of Object.entries(HISTOGRAMS)) {
  test(`protobuf has a native histogram ${name}`, () => {
    const all = [histogramSeries("h", { a: "1" }, stored)]
    assert.deepEqual(decodeFamilies(written(WANTED, all, metadataOf({ h: { type: "histogram", help: "H." } }))), [
      { name: "h", help: "H.", type, metric: [{ label: [{ name: "a", value: "1" }, instance()], histogram }] },
    ])
  })
}

test("protobuf has floats and histograms of one name, as of a metric that changed, in a family each", () => {
  const native = histogramSeries("h", { a: "1" }, { countInt: "0", zeroThreshold: bitsOf(1) })
  const types = decodeFamilies(written(WANTED, [native, series("h", {}, 1), series("h", { b: "2" }, 2)], new Map()))
  assert.deepEqual(
    types.map((family) => {
      const { type, metric } = family as { type: string; metric: object[] }
      return [type, metric.length]
    }),
    [
      ["HISTOGRAM", 1],
      ["UNTYPED", 2],
    ],
  )
})

test("protobuf has timestamps in milliseconds where these are wanted", () => {
  const all = [series("a", {}, 1, 1_700_000_000_001), histogramSeries("b", {}, { countInt: "0" }, 1_700_000_000_002)]
  assert.deepEqual(
    decodeFamilies(written(WANTED, all, new Map(), true)).map((family) =>
      (family as { metric: { timestampMs: string }[] }).metric.map(({ timestampMs }) => timestampMs),
    ),
    [["1700000000001"], ["1700000000002"]],
  )
})

test("protobuf has other names as they are or with underscores, as the scraper knows them", () => {
  const all = [series("a.b", { "c.d": "1" }, 1), series("a_b", {}, 2)]
  const named = (wanted: WantedFormat) =>
    decodeFamilies(written(wanted, all, new Map())).map((family) => {
      const { name, metric } = family as { name: string; metric: { label: { name: string }[] }[] }
      return [name, ...metric.flatMap(({ label }) => label.map((one) => one.name))]
    })
  assert.deepEqual(named(WANTED), [["a_b", "instance"]])
  assert.deepEqual(named({ kind: "protobuf", escaping: "allow-utf-8" }), [
    ["a_b", "instance"],
    ["a.b", "c.d", "instance"],
  ])
})

test("a histogram that is malformed within is refused, and none with a million buckets", () => {
  const spans = {
    positiveSpans: [
      { offset: 0, length: 4_000_000_000 },
      { offset: 2 ** 30, length: 1 },
    ],
  }
  const many = { countInt: "0", schema: -53, ...spans, positiveDeltas: Array.from({ length: 300_000 }, () => "0") }
  assert.equal(decodeFamilies(written(WANTED, [histogramSeries("h", {}, many)], new Map())).length, 1)
  // a sum that is a number of variable length
  const sample = Buffer.from([4 * 8, 105, 3 * 8, 1])
  assert.throws(() => written(WANTED, [series("h", {}, sample)], new Map()), { code: "MALFORMED_MESSAGE" })
})
