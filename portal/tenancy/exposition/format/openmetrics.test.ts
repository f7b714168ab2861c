import assert from "node:assert/strict"
import { test } from "node:test"
import type { StoredSeries } from "../store/series.ts"
import { metadataOf, series, textOf } from "./format.testing.ts"
import type { FamilyMetadata } from "./metadata.ts"
import type { WantedFormat } from "./negotiate.ts"

const WANTED: WantedFormat = { kind: "openmetrics-1.0.0", escaping: "underscores" }
const NEGATIVE = [series("h_bucket", { le: "-1" }, 1), series("h_bucket", { le: "+Inf" }, 2)]

interface Case {
  readonly series: readonly StoredSeries[]
  readonly metadata?: Readonly<Record<string, Partial<FamilyMetadata>>>
  /** Without its end. */
  readonly text: string
}

const CASES: Readonly<Record<string, Case>> = {
  "nothing but its end of no series": { series: [], metadata: { up: { type: "gauge", help: "Up." } }, text: "" },
  "unknown what is not known": {
    series: [series("up", { job: "a" }, 0), series("up", { instance: "i" }, -0), series("u", {}, Number.NaN)],
    metadata: { u: { help: "U." } },
    text: `# TYPE u unknown
# HELP u U.
u{instance=""} NaN
# TYPE up unknown
up{job="a",instance=""} 0
up{instance="i"} -0
`,
  },
  "escaped text, and units that end the name": {
    series: [series("a_seconds", { instance: 'a "b" \\ c\nd' }, 1), series("b_seconds", {}, 1)],
    metadata: {
      a_seconds: { type: "gauge", unit: "seconds", help: 'A "b" \\ c\nd' },
      b_seconds: { type: "gauge", unit: "bytes\n# EOF" },
    },
    text: String.raw`# TYPE a_seconds gauge
# UNIT a_seconds seconds
# HELP a_seconds A \"b\" \\ c\nd
a_seconds{instance="a \"b\" \\ c\nd"} 1
# TYPE b_seconds gauge
b_seconds{instance=""} 1
`,
  },
  "counters without the suffix, whatever they are called in metadata, with the time when they began": {
    series: [
      ...[series("a_seconds_total", { x: "1" }, 2), series("a_seconds_total", {}, 3)],
      ...[series("a_seconds_created", {}, 1), series("b_total", {}, 4), series("b_created", {}, 5)],
    ],
    metadata: {
      a_seconds: { type: "counter", help: "A.", unit: "seconds" },
      b_total: { type: "counter", help: "B." },
      b_created: { type: "gauge", help: "Created." },
    },
    text: `# TYPE a_seconds counter
# UNIT a_seconds seconds
# HELP a_seconds A.
a_seconds_created{instance=""} 1
a_seconds_total{instance=""} 3
a_seconds_total{x="1",instance=""} 2
# TYPE b counter
# HELP b B.
b_created{instance=""} 5
b_total{instance=""} 4
`,
  },
  "counters that are none as unknown": {
    series: [
      ...[series("a_total", {}, -1), series("b_created", {}, 1), series("c", {}, 1), series("d_total", {}, Number.NaN)],
    ],
    metadata: {
      a: { type: "counter", help: "A." },
      b: { type: "counter" },
      c: { type: "counter", help: "C." },
      d_total: { type: "counter", help: "D." },
    },
    text: `# TYPE a_total unknown
a_total{instance=""} -1
# TYPE b_created unknown
b_created{instance=""} 1
# TYPE c unknown
# HELP c C.
c{instance=""} 1
# TYPE d_total unknown
# HELP d_total D.
d_total{instance=""} NaN
`,
  },
  "a counter as unknown beside a gauge of its name": {
    series: [series("a", {}, 1), series("a_total", {}, 2)],
    metadata: { a: { type: "gauge", help: "Now." }, a_total: { type: "counter", help: "Ever." } },
    text: `# TYPE a gauge
# HELP a Now.
a{instance=""} 1
# TYPE a_total unknown
# HELP a_total Ever.
a_total{instance=""} 2
`,
  },
  "a counter as unknown beside what is not known": {
    series: [series("a", {}, 1), series("a_total", {}, 2)],
    metadata: { a_total: { type: "counter" } },
    text: '# TYPE a unknown\na{instance=""} 1\n# TYPE a_total unknown\na_total{instance=""} 2\n',
  },
  "a counter with a series of its family's name as unknown": {
    series: [series("a", {}, 1), series("a_total", {}, 2)],
    metadata: { a: { type: "counter" } },
    text: '# TYPE a unknown\na{instance=""} 1\n# TYPE a_total unknown\na_total{instance=""} 2\n',
  },
  "what is not known beside a gauge": {
    series: [series("a", {}, 1), series("a_total", {}, 2)],
    metadata: { a: { type: "gauge" } },
    text: '# TYPE a gauge\na{instance=""} 1\n# TYPE a_total unknown\na_total{instance=""} 2\n',
  },
  "info and states": {
    series: [
      ...[series("a_info", { v: "1" }, 1), series("b_info", {}, 1), series("c_info", {}, 2)],
      ...[
        series("s", { s: "on", x: "1" }, 1),
        series("s", { s: "on", x: "2" }, 0),
        series("s", { s: "off", x: "1" }, 0),
      ],
      series("t", {}, 1),
    ],
    metadata: {
      a: { type: "info", help: "A.", unit: "a" },
      b_info: { type: "info" },
      c: { type: "info", help: "C." },
      s: { type: "stateset", help: "S." },
      t: { type: "stateset" },
    },
    text: `# TYPE a info
# HELP a A.
a_info{v="1",instance=""} 1
# TYPE b info
b_info{instance=""} 1
# TYPE c_info unknown
c_info{instance=""} 2
# TYPE s stateset
# HELP s S.
s{s="on",x="1",instance=""} 1
s{s="off",x="1",instance=""} 0
s{s="on",x="2",instance=""} 0
# TYPE t unknown
t{instance=""} 1
`,
  },
  "histograms metric by metric, buckets in order": {
    series: [
      ...["+Inf", "5e-1", "10"].map((le) => series("h_bucket", { le, x: "1" }, le === "+Inf" ? 3 : 0)),
      ...[
        series("h_bucket", { le: "+Inf", x: "2" }, 7),
        series("h_count", { x: "2" }, 7),
        series("h_sum", { x: "2" }, 0),
      ],
      ...[series("h_count", { x: "1" }, 3), series("h_sum", { x: "1" }, 4), series("h_created", { x: "1" }, 9)],
    ],
    metadata: { h: { type: "histogram", help: "H." } },
    text: `# TYPE h histogram
# HELP h H.
h_bucket{le="5e-1",x="1",instance=""} 0
h_bucket{le="10",x="1",instance=""} 0
h_bucket{le="+Inf",x="1",instance=""} 3
h_count{x="1",instance=""} 3
h_created{x="1",instance=""} 9
h_sum{x="1",instance=""} 4
h_bucket{le="+Inf",x="2",instance=""} 7
h_count{x="2",instance=""} 7
h_sum{x="2",instance=""} 0
`,
  },
  "a histogram of its buckets only": {
    series: NEGATIVE,
    metadata: { h: { type: "histogram", help: "H." } },
    text: `# TYPE h histogram
# HELP h H.
h_bucket{le="-1",instance=""} 1
h_bucket{le="+Inf",instance=""} 2
`,
  },
  summaries: {
    series: [
      ...["0.9", "0.5"].map((quantile) => series("s", { quantile, x: "1" }, Number(quantile))),
      ...[series("s_sum", { x: "1" }, 3), series("s_count", { x: "1" }, 2), series("s_count", { x: "2" }, 2)],
    ],
    metadata: { s: { type: "summary", help: "S." } },
    text: `# TYPE s summary
# HELP s S.
s{quantile="0.5",x="1",instance=""} 0.5
s{quantile="0.9",x="1",instance=""} 0.9
s_count{x="1",instance=""} 2
s_sum{x="1",instance=""} 3
s_count{x="2",instance=""} 2
`,
  },
  "histograms of gauges": {
    series: [
      ...[series("g_bucket", { le: "1" }, 1), series("g_bucket", { le: "+Inf" }, 1)],
      ...[series("g_gcount", {}, 1), series("g_gsum", {}, 1)],
    ],
    metadata: { g: { type: "gaugehistogram", help: "G." } },
    text: `# TYPE g gaugehistogram
# HELP g G.
g_bucket{le="1",instance=""} 1
g_bucket{le="+Inf",instance=""} 1
g_gcount{instance=""} 1
g_gsum{instance=""} 1
`,
  },
  "the help of a family with whole metrics only": {
    series: [series("h_count", {}, 2), series("s_sum", {}, Number.NaN)],
    metadata: { h: { type: "histogram", help: "H." }, s: { type: "summary", help: "S." } },
    text: '# TYPE h_count unknown\nh_count{instance=""} 2\n# TYPE s_sum unknown\ns_sum{instance=""} NaN\n',
  },
  "other names with underscores": {
    series: [series("a.b_total", { "c.d": "1" }, 1), series("g.b", {}, 1)],
    metadata: { "a.b": { type: "counter", help: "A." }, "g.b": { type: "gauge", help: "G." } },
    text: `# TYPE a_b_total unknown
a_b_total{c_d="1",instance=""} 1
# TYPE g_b gauge
# HELP g_b G.
g_b{instance=""} 1
`,
  },
}

for (const [name, { series: all, metadata = {}, text }] of Object.entries(CASES)) {
  test(`OpenMetrics has ${name}`, () => assert.equal(textOf(WANTED, all, metadataOf(metadata)), `${text}# EOF\n`))
}

const bucket = (le: string, value: number): StoredSeries => series("h_bucket", { le }, value)
const NO_HISTOGRAMS: Readonly<Record<string, readonly StoredSeries[]>> = {
  "without the last bucket": [bucket("1", 1), bucket("5", 2)],
  "with a bucket that has no bound": [series("h_bucket", {}, 1), bucket("+Inf", 2)],
  "with a bound that is none": [bucket("0x1", 1), bucket("+Inf", 2)],
  "with another text of infinity": [bucket("1", 1), bucket("Infinity", 2)],
  "with two buckets of a bound": [bucket("1", 1), bucket("1.0", 1), bucket("+Inf", 2)],
  "with buckets that go down": [bucket("1", 3), bucket("+Inf", 2)],
  "with a bucket of a half": [bucket("1", 0.5), bucket("+Inf", 2)],
  "with a bucket that is no number": [bucket("+Inf", Number.NaN)],
  "with a bucket below zero": [bucket("+Inf", -1)],
  "with another count": [bucket("+Inf", 2), series("h_count", {}, 3), series("h_sum", {}, 3)],
  "with a count and no sum": [bucket("+Inf", 2), series("h_count", {}, 2)],
  "with a sum and no count": [bucket("+Inf", 2), series("h_sum", {}, 2)],
  "with a sum that is no number": [bucket("+Inf", 2), series("h_count", {}, 2), series("h_sum", {}, Number.NaN)],
  "with a sum below zero": [bucket("+Inf", 2), series("h_count", {}, 2), series("h_sum", {}, -1)],
  "with a sum of what can be below zero": [...NEGATIVE, series("h_count", {}, 2), series("h_sum", {}, 1)],
  "with a bound on its count": [bucket("+Inf", 2), series("h_count", { le: "+Inf" }, 2), series("h_sum", {}, 1)],
  "with a metric that is none": [bucket("+Inf", 2), series("h_bucket", { le: "1", x: "1" }, 2)],
  "with a series of its name": [bucket("+Inf", 2), series("h", {}, 2)],
}
for (const [name, all] of Object.entries(NO_HISTOGRAMS)) {
  test(`OpenMetrics has a histogram ${name} as unknown`, () => {
    const text = textOf(WANTED, all, metadataOf({ h: { type: "histogram" } }))
    const types = text.split("\n").filter((line) => line.startsWith("# TYPE "))
    const names = [...new Set(all.map((one) => one.name))].toSorted()
    assert.deepEqual(
      types,
      names.map((one) => `# TYPE ${one} unknown`),
    )
    assert.equal(text.split("\n").filter((line) => line.startsWith("h")).length, all.length)
  })
}

const NO_SUMMARIES: Readonly<Record<string, StoredSeries>> = {
  "without a quantile": series("s", {}, 1),
  "with a quantile above one": series("s", { quantile: "1.1" }, 1),
  "with a quantile that is none": series("s", { quantile: "" }, 1),
  "with a value below zero": series("s", { quantile: "0.5" }, -1),
  "with a sum below zero": series("s_sum", {}, -1),
  "with a count of a half": series("s_count", {}, 0.5),
}
for (const [name, one] of Object.entries(NO_SUMMARIES)) {
  test(`OpenMetrics has a summary ${name} as unknown`, () => {
    const text = textOf(WANTED, [one], metadataOf({ s: { type: "summary" } }))
    assert.match(text, new RegExp(`^# TYPE ${one.name} unknown\\n`))
  })
}

test("OpenMetrics has timestamps in seconds, and metrics of one time only", () => {
  const all = [
    ...[series("a", {}, 1, 1_700_000_000_001), series("b", {}, 1, 1_700_000_000_000)],
    ...[
      series("h_bucket", { le: "1" }, 1, 1_700_000_000_001),
      series("h_bucket", { le: "+Inf" }, 1, 1_700_000_000_002),
    ],
    ...[
      series("i_bucket", { le: "1" }, 1, 1_700_000_000_010),
      series("i_bucket", { le: "+Inf" }, 1, 1_700_000_000_010),
    ],
  ]
  assert.equal(
    textOf(WANTED, all, metadataOf({ h: { type: "histogram" }, i: { type: "histogram" } }), true),
    `# TYPE a unknown
a{instance=""} 1 1700000000.001
# TYPE b unknown
b{instance=""} 1 1700000000
# TYPE h_bucket unknown
h_bucket{le="1",instance=""} 1 1700000000.001
h_bucket{le="+Inf",instance=""} 1 1700000000.002
# TYPE i histogram
i_bucket{le="1",instance=""} 1 1700000000.01
i_bucket{le="+Inf",instance=""} 1 1700000000.01
# EOF
`,
  )
})

test("OpenMetrics quotes other names for scrapers that know them", () => {
  const all = [series("a.b_total", { "c.d": "1" }, 1)]
  assert.equal(
    textOf(
      { kind: "openmetrics-1.0.0", escaping: "allow-utf-8" },
      all,
      metadataOf({ "a.b": { type: "counter", help: "A." } }),
    ),
    String.raw`# TYPE "a.b" counter
# HELP "a.b" A.
{"a.b_total","c.d"="1",instance=""} 1
# EOF
`,
  )
})
