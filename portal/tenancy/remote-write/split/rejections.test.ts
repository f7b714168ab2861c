import assert from "node:assert/strict"
import test from "node:test"
import { Rejections } from "./rejections.ts"
import { seriesText } from "./series-text.ts"

const ONE = { samples: 1, histograms: 2, exemplars: 3 }

test("counts all, and keeps the first three reasons of a tenant with their first series", () => {
  const rejections = new Rejections()
  for (const [tenant, reason, example] of [
    ["red", "no name", "a"],
    ["red", "no name", "b"],
    ["blue", "no name", "c"],
    ["red", "no samples", "d"],
    ["red", "twice", "e"],
    ["red", "a fourth", "f"],
    ["red", "no name", "g"],
  ] as const) {
    rejections.add(tenant, reason, ONE, () => example, tenant === "red" ? "malformed" : "tenant")
  }
  assert.equal(rejections.series, 7)
  assert.deepEqual(rejections.kinds, { malformed: 6, tenant: 1, too_many_tenants: 0, not_shared: 0 })
  assert.deepEqual(rejections.counts, { samples: 7, histograms: 14, exemplars: 21 })
  assert.deepEqual(rejections.lines(), [
    { tenant: "red", reason: "no name", series: 3, example: "a" },
    { tenant: "blue", reason: "no name", series: 1, example: "c" },
    { tenant: "red", reason: "no samples", series: 1, example: "d" },
    { tenant: "red", reason: "twice", series: 1, example: "e" },
  ])
})

test("keeps no more lines than a response can have, however many tenants a sender makes up", () => {
  const rejections = new Rejections()
  for (let tenant = 0; tenant < 10_000; tenant++)
    rejections.add(String(tenant), "no tenant id", ONE, () => "", "tenant")
  assert.equal(rejections.series, 10_000)
  assert.equal(rejections.lines().length, 60)
})

test("shows a series as a selector does, without what is too much of it", () => {
  const labels = (...names: string[]): [string, string][] => names.map((name) => [name, "1"])
  assert.equal(seriesText([["__name__", "up"], ...labels("job")]), 'up{job="1"}')
  assert.equal(seriesText([...labels("a", "b", "c", "d", "e", "f")]), '{a="1", b="1", c="1", d="1", …}')
  assert.equal(seriesText([["__name__", "a.b"], ...labels("")]), '{"a.b", ""="1"}')
  assert.equal(seriesText([]), "{}")
  const long = seriesText([
    ["__name__", "n".repeat(10_000)],
    ["l".repeat(10_000), "v".repeat(10_000)],
  ])
  assert.equal(
    long,
    `{"${"n".repeat(60)}…" (10000 characters), "${"l".repeat(60)}…" (10000 characters)="${"v".repeat(60)}…" (10000 characters)}`,
  )
})

test("escapes what a terminal or a page would obey", () => {
  const value = 'a"b\\c\r\n\u001B[31m\u202E\u2066\u200B\u2028\uD800é'
  assert.equal(
    seriesText([
      ["__name__", "up"],
      ["x", value],
    ]),
    'up{x="a\\"b\\\\c\\r\\n\\u001b[31m\\u{202e}\\u{2066}\\u{200b}\\u{2028}\\ud800é"}',
  )
})
