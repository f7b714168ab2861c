import assert from "node:assert/strict"
import { test } from "node:test"
import { splitV2 } from "./split-v2.ts"
import type { Slice } from "./slice.ts"
import { type Given, messageOf, readPlain, routeByLabel, writeMessage } from "./v2.testing.ts"

const labels = (tenant: string, job: string) => ["__name__", "up", "job", job, "tenant_id", tenant]
const data = (tenant: string, job: string): Given => ({
  labels: labels(tenant, job),
  samples: [{ value: 1, timestamp: 1 }],
})
const exemplar = (trace: string) => ({ labels: ["trace_id", trace], value: 1, timestamp: 1 })
const alone = (tenant: string, job: string, ...traces: readonly string[]): Given => ({
  labels: labels(tenant, job),
  exemplars: traces.map(exemplar),
})

/** `job: traces` of each series of a slice, with what the slice counts. */
const read = (slice: Slice) => ({
  tenant: slice.tenant,
  group: slice.group,
  exemplars: slice.counts.exemplars,
  metadata: slice.metadata,
  series: readPlain(messageOf(slice)).map((series) => {
    const job = series.labels.find(([name]) => name === "job")?.[1]
    const traces = series.exemplars.map((each) => each.labels.map(([, value]) => value).join())
    return [job, ...(series.metadata.help === "" ? [] : [series.metadata.help]), ...traces].join(" ")
  }),
})
const split = (series: readonly Given[]) => splitV2(writeMessage(series), routeByLabel()).slices.map(read)

test("sends exemplars that are series of their own with the series of the same labels, in their order", () => {
  const series = [
    { ...data("red", "a"), exemplars: [exemplar("first")] },
    alone("red", "a", "second", "third"),
    data("red", "b"),
    alone("blue", "b", "blue's"),
    alone("red", "a", "fourth"),
    data("blue", "b"),
    data("red", "a"),
  ]
  assert.deepEqual(split(series), [
    { tenant: "red", group: "", exemplars: 4, metadata: 0, series: ["a first second third fourth", "b", "a"] },
    { tenant: "blue", group: "", exemplars: 1, metadata: 0, series: ["b blue's"] },
  ])
})

test("sends exemplars whose series is not in the request as a request of their own", () => {
  assert.deepEqual(split([data("red", "a"), alone("red", "b", "x"), alone("blue", "a", "y"), alone("red", "a", "z")]), [
    { tenant: "red", group: "", exemplars: 1, metadata: 0, series: ["a z"] },
    { tenant: "red", group: " exemplars", exemplars: 1, metadata: 0, series: ["b x"] },
    { tenant: "blue", group: " exemplars", exemplars: 1, metadata: 0, series: ["a y"] },
  ])
})

test("finds the series in whatever order its labels are, and whatever symbols they have", () => {
  const given = [
    data("red", "a"),
    { labels: ["tenant_id", "red", "job", "a", "__name__", "up"], exemplars: [exemplar("x")] },
  ]
  assert.deepEqual(split(given), [{ tenant: "red", group: "", exemplars: 1, metadata: 0, series: ["a x"] }])
  const message = writeMessage(given, { symbolsTwice: true })
  assert.deepEqual(splitV2(message, routeByLabel()).slices.map(read), split(given))
})

test("takes a label without a value for none, and the labels as the tenant gets them", () => {
  const given = [
    { labels: ["__name__", "up", "job", "a", "tenant_id", "red"], samples: [{ value: 1, timestamp: 1 }] },
    { labels: ["__name__", "up", "job", "a", "tenant_id", "red", "empty", ""], exemplars: [exemplar("x")] },
    { labels: ["__name__", "up", "job", "a", "tenant_id", "red", "more", "1"], exemplars: [exemplar("y")] },
    { labels: ["__name__", "up", "job", "a"], exemplars: [exemplar("of another tenant")] },
  ]
  assert.deepEqual(split(given), [
    { tenant: "red", group: "", exemplars: 1, metadata: 0, series: ["a x"] },
    { tenant: "red", group: " exemplars", exemplars: 1, metadata: 0, series: ["a y"] },
    { tenant: "0", group: " exemplars", exemplars: 1, metadata: 0, series: ["a of another tenant"] },
  ])
})

test("keeps the metadata of the series, and takes that of the exemplars where it has none", () => {
  const help = (text: string) => ({ type: 1, help: text, unit: "" })
  const given = [
    { ...data("red", "a"), metadata: help("own") },
    { ...alone("red", "a", "x"), metadata: help("other") },
    data("red", "b"),
    { ...alone("red", "b", "y"), metadata: help("other") },
  ]
  assert.deepEqual(split(given), [
    { tenant: "red", group: "", exemplars: 2, metadata: 1, series: ["a own x", "b other y"] },
  ])
})
