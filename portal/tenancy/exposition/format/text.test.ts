import assert from "node:assert/strict"
import { test } from "node:test"
import type { StoredSeries } from "../store/series.ts"
import { metadataOf, series, textOf } from "./format.testing.ts"
import type { FamilyMetadata } from "./metadata.ts"
import type { WantedFormat } from "./negotiate.ts"

const TEXT: WantedFormat = { kind: "text", escaping: "underscores" }
const UTF8: WantedFormat = { kind: "text", escaping: "allow-utf-8" }

interface Case {
  readonly series: readonly StoredSeries[]
  readonly metadata?: Readonly<Record<string, Partial<FamilyMetadata>>>
  readonly text: string
}

const CASES: Readonly<Record<string, Case>> = {
  "nothing of no series": { series: [], metadata: { up: { type: "gauge", help: "Up." } }, text: "" },
  "an instance where there is none, and untyped where nothing is known": {
    series: [series("up", {}, 1), series("up", { job: "a" }, 0), series("up", { instance: "i", job: "b" }, 1)],
    text: '# TYPE up untyped\nup{instance=""} 1\nup{job="a",instance=""} 0\nup{instance="i",job="b"} 1\n',
  },
  "values of all kinds": {
    series: [0, -0, 1e21, 1e-7, 0.1, Number.MAX_VALUE, 5e-324, Number.NaN, Infinity, -Infinity].map((value, index) =>
      series("a", { instance: `${index}` }, value),
    ),
    text: `# TYPE a untyped
a{instance="0"} 0
a{instance="1"} -0
a{instance="2"} 1e+21
a{instance="3"} 1e-7
a{instance="4"} 0.1
a{instance="5"} 1.7976931348623157e+308
a{instance="6"} 5e-324
a{instance="7"} NaN
a{instance="8"} +Inf
a{instance="9"} -Inf
`,
  },
  "escaped text": {
    series: [series("a", { instance: 'a "b" \\ c\nd\re ü 🧬' }, 1)],
    metadata: { a: { type: "gauge", help: 'A "b" \\ c\nd\n# TYPE e gauge\ne 1 ü' } },
    text: String.raw`# HELP a A "b" \\ c\nd\n# TYPE e gauge\ne 1 ü
# TYPE a gauge
a{instance="a \"b\" \\ c\nd${"\r"}e ü 🧬"} 1
`,
  },
  "families in order, and metadata of what has series only": {
    series: [series("b", { instance: "" }, 1), series("a_b", {}, 1), series("a", {}, 1)],
    metadata: { a: { type: "gauge", help: "A." }, secret: { type: "gauge", help: "Secret." }, b: { type: "gauge" } },
    text: `# HELP a A.
# TYPE a gauge
a{instance=""} 1
# TYPE a_b untyped
a_b{instance=""} 1
# TYPE b gauge
b{instance=""} 1
`,
  },
  "counters of OpenMetrics by the name of their series, with the time when they began": {
    series: [series("a_total", {}, 2), series("a_created", {}, 1)],
    metadata: { a: { type: "counter", help: "A." } },
    text: `# TYPE a_created gauge
a_created{instance=""} 1
# HELP a_total A.
# TYPE a_total counter
a_total{instance=""} 2
`,
  },
  "counters of text": {
    series: [series("a_total", {}, 2), series("a_created", {}, 1), series("b", {}, 3)],
    metadata: { a_total: { type: "counter", help: "A." }, a_created: { type: "gauge" }, b: { type: "counter" } },
    text: `# TYPE a_created gauge
a_created{instance=""} 1
# HELP a_total A.
# TYPE a_total counter
a_total{instance=""} 2
# TYPE b counter
b{instance=""} 3
`,
  },
  "a gauge beside a counter": {
    series: [series("a", {}, 1), series("a_total", {}, 2)],
    metadata: { a: { type: "gauge", help: "Now." }, a_total: { type: "counter", help: "Ever." } },
    text: `# HELP a Now.
# TYPE a gauge
a{instance=""} 1
# HELP a_total Ever.
# TYPE a_total counter
a_total{instance=""} 2
`,
  },
  "info and states as gauges": {
    series: [series("a_info", { v: "1" }, 1), series("s", { s: "on" }, 1)],
    metadata: { a: { type: "info", help: "A." }, s: { type: "stateset", help: "S." } },
    text: `# HELP a_info A.
# TYPE a_info gauge
a_info{v="1",instance=""} 1
# HELP s S.
# TYPE s gauge
s{s="on",instance=""} 1
`,
  },
  "a histogram": {
    series: [
      series("h_sum", {}, 3),
      series("h_bucket", { le: "1" }, 1),
      series("h_bucket", { le: "+Inf" }, 2),
      series("h_created", {}, 1),
      series("h_count", {}, 2),
    ],
    metadata: { h: { type: "histogram", help: "H." } },
    text: `# HELP h H.
# TYPE h histogram
h_bucket{le="1",instance=""} 1
h_bucket{le="+Inf",instance=""} 2
h_count{instance=""} 2
h_sum{instance=""} 3
# TYPE h_created gauge
h_created{instance=""} 1
`,
  },
  "a part of a histogram": {
    series: [series("h_count", {}, 2)],
    metadata: { h: { type: "histogram", help: "H." } },
    text: '# HELP h H.\n# TYPE h histogram\nh_count{instance=""} 2\n',
  },
  "buckets without bounds as untyped": {
    series: [series("h_bucket", { le: "many" }, 2), series("h_bucket", {}, 2), series("h_count", {}, 2)],
    metadata: { h: { type: "histogram", help: "H." } },
    text: `# TYPE h_bucket untyped
h_bucket{le="many",instance=""} 2
h_bucket{instance=""} 2
# TYPE h_count untyped
h_count{instance=""} 2
`,
  },
  "a histogram that is none as untyped": {
    series: [series("h", {}, 2), series("h_count", {}, 2)],
    metadata: { h: { type: "histogram", help: "H." } },
    text: '# HELP h H.\n# TYPE h untyped\nh{instance=""} 2\n# TYPE h_count untyped\nh_count{instance=""} 2\n',
  },
  "a histogram beside a metric that is called as its count, as untyped": {
    series: [series("h_bucket", { le: "+Inf" }, 2), series("h_count", {}, 2)],
    metadata: { h: { type: "histogram", help: "H." }, h_count: { type: "gauge", help: "Count." } },
    text: `# TYPE h_bucket untyped
h_bucket{le="+Inf",instance=""} 2
# HELP h_count Count.
# TYPE h_count gauge
h_count{instance=""} 2
`,
  },
  "the classic part of a histogram that is native, too": {
    series: [series("h", {}, Buffer.alloc(0)), series("h_bucket", { le: "+Inf" }, 2)],
    metadata: { h: { type: "histogram", help: "H." } },
    text: '# HELP h H.\n# TYPE h histogram\nh_bucket{le="+Inf",instance=""} 2\n',
  },
  "nothing of native histograms": {
    series: [series("h", {}, Buffer.alloc(0))],
    metadata: { h: { type: "histogram", help: "H." } },
    text: "",
  },
  // the format requires it, and stores have them in the order of their text
  "buckets and quantiles of each metric in the order of their bounds": {
    series: [
      ...["+Inf", "10", "2"].flatMap((le, index) =>
        ["x", "y"].map((path) => series("h_bucket", { le, path }, 9 - index)),
      ),
      ...["1.0", "0.5", "0.05"].map((quantile) => series("s", { quantile }, 1)),
    ],
    metadata: { h: { type: "histogram" }, s: { type: "summary" } },
    text: `# TYPE h histogram
h_bucket{le="2",path="x",instance=""} 7
h_bucket{le="10",path="x",instance=""} 8
h_bucket{le="+Inf",path="x",instance=""} 9
h_bucket{le="2",path="y",instance=""} 7
h_bucket{le="10",path="y",instance=""} 8
h_bucket{le="+Inf",path="y",instance=""} 9
# TYPE s summary
s{quantile="0.05",instance=""} 1
s{quantile="0.5",instance=""} 1
s{quantile="1.0",instance=""} 1
`,
  },
  "a summary": {
    series: [series("s", { quantile: "0.5" }, Number.NaN), series("s_count", {}, 2), series("s_sum", {}, 3)],
    metadata: { s: { type: "summary", help: "S." } },
    text: `# HELP s S.
# TYPE s summary
s{quantile="0.5",instance=""} NaN
s_count{instance=""} 2
s_sum{instance=""} 3
`,
  },
  "a gauge with the labels of others": {
    series: [series("g", { le: "x", quantile: "y" }, 1)],
    metadata: { g: { type: "gauge" } },
    text: '# TYPE g gauge\ng{le="x",quantile="y",instance=""} 1\n',
  },
  "gauge histograms, which it does not know, as untyped": {
    series: [series("g_bucket", { le: "+Inf" }, 1), series("g_gcount", {}, 1), series("g_gsum", {}, 1)],
    metadata: { g: { type: "gaugehistogram", help: "G." } },
    text: `# TYPE g_bucket untyped
g_bucket{le="+Inf",instance=""} 1
# TYPE g_gcount untyped
g_gcount{instance=""} 1
# TYPE g_gsum untyped
g_gsum{instance=""} 1
`,
  },
  "other names and labels with underscores": {
    series: [series("a.b", { "c.d": "1", "1e": "2", é: "3" }, 1), series("7🧬", { "": "4" }, 2)],
    metadata: { "a.b": { type: "gauge", help: "A." } },
    text: `# TYPE __ untyped
__{_="4",instance=""} 2
# HELP a_b A.
# TYPE a_b gauge
a_b{c_d="1",_e="2",_="3",instance=""} 1
`,
  },
  "of names that would become one only the first, and that which has it by itself before others": {
    series: [
      ...[series("a.b", {}, 1), series("a_b", {}, 2), series("x-y", {}, 3), series("x.y", {}, 4)],
      ...[series("h_bucket", { le: "+Inf" }, 5), series("h.bucket", {}, 6)],
    ],
    metadata: { a_b: { type: "gauge", help: "Own." }, "a.b": { type: "counter" }, h: { type: "histogram" } },
    text: `# HELP a_b Own.
# TYPE a_b gauge
a_b{instance=""} 2
# TYPE h histogram
h_bucket{le="+Inf",instance=""} 5
# TYPE x_y untyped
x_y{instance=""} 3
`,
  },
  "of labels that would become one that which has it by itself, and no series twice": {
    series: [
      series("a", { "b.c": "1" }, 1),
      series("a", { "b.c": "2", b_c: "1" }, 2),
      series("a", { b_c: "1" }, 3),
      series("a", { "b.c": "3" }, 4),
      series("a", { "..name..": "x", "..name.:": "y" }, 5),
    ],
    text: `# TYPE a untyped
a{b_c="1",instance=""} 3
a{b_c="3",instance=""} 4
a{instance=""} 5
`,
  },
}

for (const [name, { series: all, metadata = {}, text }] of Object.entries(CASES)) {
  test(`text has ${name}`, () => assert.equal(textOf(TEXT, all, metadataOf(metadata)), text))
}

test("text has timestamps in milliseconds where these are wanted", () => {
  assert.equal(
    textOf(TEXT, [series("a", {}, 1, 1_700_000_000_001)], new Map(), true),
    '# TYPE a untyped\na{instance=""} 1 1700000000001\n',
  )
})

test("text quotes other names for scrapers that know them", () => {
  const all = [
    series("a.b", { 'c"d': "1", e: "2" }, 1),
    series("a_b", { "f.g": "1", f_g: "2" }, 2),
    series("c d", {}, 3),
  ]
  const metadata = metadataOf({ "a.b": { type: "gauge", help: "A." }, a_b: { type: "counter" } })
  assert.equal(
    textOf(UTF8, all, metadata),
    String.raw`# TYPE a_b counter
a_b{"f.g"="1",f_g="2",instance=""} 2
# HELP "a.b" A.
# TYPE "a.b" gauge
{"a.b","c\"d"="1",e="2",instance=""} 1
# TYPE "c d" untyped
{"c d",instance=""} 3
`,
  )
})
