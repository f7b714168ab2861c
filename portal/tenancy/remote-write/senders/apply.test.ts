import assert from "node:assert/strict"
import test from "node:test"
import fc from "fast-check"
import { parseSelector } from "#core/promql/parse.ts"
import { createOracle } from "../../../../dev/fuzz/oracle.ts"
import type { Version } from "../message/version.ts"
import { applyRules } from "./apply.ts"
import { label, sample, timeSeries } from "../split/v1.testing.ts"
import { type LabelPair, read, readFamilies, type TestSeries, write } from "./messages.testing.ts"
import { relabelled } from "./relabelling.testing.ts"
import { seriesRules, type SeriesRules } from "./series-rules.ts"

const VERSIONS: readonly Version[] = [1, 2]

function rulesOf(
  given: { readonly labels?: Readonly<Record<string, string>>; readonly match?: readonly string[] },
  names: readonly string[] = Object.keys(given.labels ?? {}),
): SeriesRules {
  const rules = seriesRules("site-a", { ...given, match: given.match?.map(parseSelector) }, names)
  assert.ok(rules)
  return rules
}

const series = (...labels: LabelPair[]): TestSeries => ({ labels, samples: [1], exemplars: [] })
const up = (...labels: LabelPair[]): TestSeries => series(["__name__", "up"], ...labels)

function apply(version: Version, rules: SeriesRules, all: readonly TestSeries[]) {
  const { message, rejections } = applyRules(rules, version, write(version, all))
  return { labels: read(version, message).map(({ labels }) => labels), lines: rejections.lines() }
}

for (const version of VERSIONS) {
  const v = `version ${version}`

  test(`sets the owner's labels, and keeps what was written under their names as exported_…: ${v}`, () => {
    const rules = rulesOf({ labels: { site: "a", location: "city" } })
    const { labels, lines } = apply(version, rules, [
      series(["__name__", "m"], ["job", "node"]),
      series(["__name__", "m"], ["job", "node"], ["site", "forged"]),
      series(["__name__", "m"], ["exported_site", "x"], ["job", "node"], ["site", "y"], ["zone", "z"]),
      series(["__name__", "m"], ["job", "node"], ["location", "city"], ["site", ""]),
    ])
    const own: LabelPair[] = [
      ["job", "node"],
      ["location", "city"],
      ["site", "a"],
    ]
    assert.deepEqual(labels, [
      [["__name__", "m"], ...own],
      [["__name__", "m"], ["exported_site", "forged"], ...own],
      [["__name__", "m"], ["exported_exported_site", "x"], ["exported_site", "y"], ...own, ["zone", "z"]],
      [["__name__", "m"], ...own],
    ])
    assert.deepEqual(lines, [])
  })

  test(`no series of a site is what the portal notes of its scrapes, or has no job: ${v}`, () => {
    const { labels } = apply(version, rulesOf({ labels: { site: "a.b" } }), [
      up(),
      up(["job", "a.b"]),
      up(["job", "exported_a.b"]),
      up(["job", "axb"]),
      series(["__name__", "scrape_duration_seconds"], ["job", "a.b"]),
      series(["__name__", "other"], ["job", "a.b"]),
    ])
    assert.deepEqual(
      labels.map((all) => all.find(([name]) => name === "job")?.[1]),
      ["exported_a.b", "exported_a.b", "exported_exported_a.b", "axb", "exported_a.b", "a.b"],
    )
  })

  test(`sets aside what no selector selects, with counts and the first of it: ${v}`, () => {
    const rules = rulesOf({ match: ['up{job="node"}', '{__name__=~"node_.*"}'] })
    const { message, rejections } = applyRules(
      rules,
      version,
      write(version, [
        up(["job", "node"]),
        { ...up(["job", "other"]), samples: [1, 2, 3], exemplars: [4] },
        series(["__name__", "node_load1"]),
        up(),
      ]),
    )
    assert.deepEqual(
      read(version, message).map(({ labels }) => labels),
      [
        [
          ["__name__", "up"],
          ["job", "node"],
        ],
        [["__name__", "node_load1"]],
      ],
    )
    assert.deepEqual(rejections.lines(), [
      {
        tenant: "",
        reason: "none of the selectors of site-a selects it; keep such series back with write_relabel_configs",
        series: 2,
        example: 'up{job="other"}',
      },
    ])
    assert.deepEqual([rejections.series, rejections.counts], [2, { samples: 4, histograms: 0, exemplars: 1 }])
  })

  test(`judges the labels as they were written, before the owner's are set: ${v}`, () => {
    const rules = rulesOf({ labels: { site: "a" }, match: ['{site="b"}'] })
    const { labels, lines } = apply(version, rules, [up(["site", "a"]), up(["site", "b"])])
    assert.deepEqual(
      labels,
      [
        [
          ["__name__", "up"],
          ["exported_site", "b"],
          ["job", "a"],
          ["site", "a"],
        ],
      ].map((all) => all.map(([name, value]) => [name, name === "job" ? "exported_a" : value])),
    )
    assert.equal(lines[0]?.example, 'up{site="a"}')
  })

  test(`sets a series aside that has a label twice, as receivers differ in which one counts: ${v}`, () => {
    const { labels, lines } = apply(version, rulesOf({ labels: { site: "a" } }), [
      up(["job", "node"], ["job", "other"]),
      up(["site", "a"], ["x", "1"], ["site", "b"]),
      up(["job", "node"]),
    ])
    assert.equal(labels.length, 1)
    assert.deepEqual(
      lines.map(({ reason, series: count }) => [reason, count]),
      [
        ["it has the label job more than once", 1],
        ["it has the label site more than once", 1],
      ],
    )
  })

  test(`refuses a message that the labels make larger than one may be: ${v}`, () => {
    const message = write(
      version,
      Array.from({ length: 1000 }, () => series(["__name__", "m"])),
    )
    const rules = rulesOf({ labels: { site: "a".repeat(63) } })
    assert.throws(() => applyRules(rules, version, message, message.length + 100), /uncompressed; at most/)
  })

  test(`gives up what takes too much work to compare, and delivers the rest: ${v}`, () => {
    const rules = rulesOf({ match: ['{x=~"(.*a.*){1,40}b"}', "up"] })
    const hard = Array.from({ length: 20 }, (_, index) =>
      series(["__name__", "m"], ["x", `${"a".repeat(20_000)}${index}`]),
    )
    const { labels, lines } = apply(version, rules, [...hard, up()])
    assert.deepEqual(labels, [[["__name__", "up"]]])
    assert.match(lines.map(({ reason }) => reason).join("\n"), /too much work/)
  })

  test(`series with labels and selectors are what the portal's Prometheus would make of them: ${v}`, () => {
    const oracle = createOracle()
    const name = fc.constantFrom(
      ...["job", "site", "exported_site", "exported_exported_site", "zone", "exported_zone", "instance", "é", "x"],
      ...["__tmp", "le", "exported_job", "exported_"],
    )
    const value = fc.oneof(
      fc.constantFrom("a", "b", "exported_a", "node", "", "a|b", "$1", "city"),
      fc.string({ unit: "binary", maxLength: 10 }),
    )
    const metric = fc.constantFrom("up", "scrape_x", "node_load1", "m", "")
    const labelSet = fc.uniqueArray(fc.tuple(name, value), { selector: ([key]) => key, maxLength: 8 })
    const one = fc.record({
      labels: fc
        .tuple(metric, labelSet, fc.nat(8))
        .map(([metricName, others, at]): LabelPair[] => others.toSpliced(at, 0, ["__name__", metricName])),
      samples: fc.array(fc.integer(), { maxLength: 3 }),
      exemplars: fc.array(fc.integer(), { maxLength: 2 }),
    })
    const own = fc.record(
      { site: fc.constantFrom("a", "b"), zone: fc.constantFrom("city", "$1"), exported_zone: fc.constant("z") },
      { requiredKeys: ["site"] },
    )
    const others = fc.uniqueArray(fc.constantFrom("zone", "exported_site", "x", "job", "exported_exported_site"))
    const selector = fc.constantFrom("up", '{job="node"}', '{job=~"a|b|"}', '{site!~"a.*",x=""}', '{zone=~".+"}')
    const match = fc.option(fc.array(selector, { minLength: 1, maxLength: 3 }), { nil: undefined })
    fc.assert(
      fc.property(fc.array(one, { maxLength: 10 }), own, others, match, (all, labels, more, selectors) => {
        const names = [...Object.keys(labels), ...more]
        const rules = rulesOf({ labels, ...(selectors && { match: selectors }) }, names)
        const { message, rejections } = applyRules(rules, version, write(version, all))
        const isShared = ({ labels: given }: TestSeries) =>
          selectors === undefined ||
          selectors.some((text) =>
            parseSelector(text).every((matcher) =>
              oracle.accepts(matcher, given.find(([key]) => key === matcher.label)?.[1] ?? "", true),
            ),
          )
        const expected = all.filter(isShared).map((given) => ({
          ...given,
          labels: relabelled(given.labels, labels, names),
        }))
        assert.deepEqual(read(version, message), expected)
        assert.equal(rejections.series, all.length - expected.length)
      }),
      { numRuns: 300 },
    )
  })
}

test("sets a series aside of which the name of a label is no UTF-8: version 1", () => {
  const broken = timeSeries(label("__name__", "up"), label(Buffer.from([0xff]), "a"), sample())
  const { rejections } = applyRules(rulesOf({ labels: { site: "a" } }), 1, Buffer.concat([broken, broken]))
  assert.deepEqual(
    rejections.lines().map(({ reason, series: count }) => [reason, count]),
    [["the name of a label is not UTF-8", 2]],
  )
  assert.deepEqual(rejections.kinds, { malformed: 2, tenant: 0, too_many_tenants: 0, not_shared: 0 })
})

test("metadata of version 1 passes where a series of the family may", () => {
  const rules = rulesOf({ match: ['{__name__=~"node_.*",job="a"}', "requests_total", "latency_bucket"] })
  const message = write(1, [], ["node_load1", "requests", "requests_total", "latency", "up"])
  const { message: applied } = applyRules(rules, 1, message)
  assert.deepEqual(readFamilies(applied), ["node_load1", "requests", "requests_total", "latency"])
})

test("a reference out of range is a reason of its own, and the others are delivered: version 2", () => {
  const message = Buffer.concat([write(2, [up()]), Buffer.from([0x2a, 4, 0x0a, 2, 1, 99])])
  const { message: applied, rejections } = applyRules(rulesOf({ labels: { site: "a" } }), 2, message)
  assert.equal(read(2, applied).length, 1)
  assert.match(rejections.lines()[0]?.reason ?? "", /symbol that there is not/)
})

for (const version of VERSIONS) {
  test(`what one series had is not in the next, set aside or not, in this message or another: version ${version}`, () => {
    const rules = rulesOf({ labels: { site: "a" }, match: ['{x="1"}'] })
    const named = (name: string, ...labels: LabelPair[]) => series(["__name__", name], ["job", "j"], ...labels)
    const first = apply(version, rules, [named("m", ["x", "1"]), named("n", ["y", "1"]), named("n", ["y", "2"])])
    const second = apply(version, rules, [
      series(),
      named("n", ["w", "1"], ["x", "1"]),
      named("n", ["w", "2"], ["x", "1"]),
    ])
    const own: LabelPair = ["site", "a"]
    assert.deepEqual(first.labels, [[["__name__", "m"], ["job", "j"], own, ["x", "1"]]])
    assert.deepEqual(second.labels, [
      [["__name__", "n"], ["job", "j"], own, ["w", "1"], ["x", "1"]],
      [["__name__", "n"], ["job", "j"], own, ["w", "2"], ["x", "1"]],
    ])
    assert.deepEqual(
      second.lines.map(({ series: count }) => count),
      [1],
    )
    const third = apply(version, rulesOf({ labels: { site: "a" } }), [named("m"), series(), series(["x", ""])])
    assert.deepEqual(third.labels.slice(1), [
      [["job", "a"], own],
      [["job", "a"], own],
    ])
  })
}
