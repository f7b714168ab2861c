import assert from "node:assert/strict"
import { test } from "node:test"
import { readPools, readScrapes, readSeries, readTargets, Unreadable } from "./scrapes.ts"

const response = (data: unknown): string => JSON.stringify({ status: "success", data })

const series = (name: string, labels: Readonly<Record<string, string>>, ...values: readonly [number, string][]) => ({
  metric: { __name__: name, ...labels },
  values,
})

test("reads scrapes of their parts, the oldest first, of jobs with the name of their site alone", () => {
  const of = (site: string, job = site) => ({ site, job, instance: "a:443", location: "x" })
  const body = response({
    resultType: "matrix",
    result: [
      series("up", of("a"), [60.5, "0"], [30.5, "1"]),
      series("scrape_duration_seconds", of("a"), [30.5, "0.25"], [60.5, "30"]),
      series("scrape_samples_scraped", of("a"), [30.5, "12"], [60.5, "0"]),
      series("scrape_samples_post_metric_relabeling", of("a"), [30.5, "11"], [60.5, "0"]),
      series("up", of("b"), [30, "1"]),
      // what the sites share
      series("up", of("a", "node"), [31, "0"]),
      series("up", of("a", "exported_a"), [32, "0"]),
      // a scrape without up is none
      series("scrape_duration_seconds", of("c"), [30, "1"]),
      series("up", of("d"), [30, "NaN"]),
      series("up_and_down", of("e"), [30, "1"]),
    ],
  })
  assert.deepEqual(
    readScrapes(body),
    new Map([
      [
        "a",
        [
          { at: 30.5, ok: true, seconds: 0.25, series: 12, kept: 11 },
          { at: 60.5, ok: false, seconds: 30, series: 0, kept: 0 },
        ],
      ],
      ["b", [{ at: 30, ok: true, seconds: null, series: null, kept: null }]],
      ["c", []],
      ["d", []],
    ]),
  )
})

test("reads the targets of sites, in all versions", () => {
  const target = (about: object) => ({
    scrapePool: "a",
    health: "up",
    lastError: "",
    lastScrape: "2026-11-30T12:00:00.5+01:00",
    ...about,
  })
  const read = (about: object) =>
    readTargets(response({ activeTargets: [target(about)] }), (pool) => pool === "a").get("a")
  assert.deepEqual(read({ lastScrapeDuration: 0.5 }), {
    at: Date.parse("2026-11-30T11:00:00.5Z") / 1000,
    health: "up",
    error: "",
    seconds: 0.5,
  })
  assert.deepEqual(read({ lastScrape: "0001-01-01T00:00:00Z", health: "unknown" }), {
    at: 0,
    health: "unknown",
    error: "",
    seconds: 0,
  })
  assert.equal(read({ health: "down", lastError: "x" })?.error, "x")
  assert.equal(read({ health: "new word", lastError: 7 })?.health, "unknown")
  assert.equal(read({ scrapePool: "prometheus" }), undefined)
})

test("reads the names of jobs, and numbers of series", () => {
  assert.deepEqual(readPools(response({ scrapePools: ["a", 7, "b"] })), new Set(["a", "b"]))
  const vector = {
    resultType: "vector",
    result: [
      { metric: { site: "a" }, value: [1, "5"] },
      { metric: {}, value: [1, "+Inf"] },
    ],
  }
  assert.deepEqual(readSeries(response(vector)), [{ labels: { site: "a" }, value: 5 }])
})

for (const [name, body] of Object.entries({
  "is not JSON": "<html>",
  "is empty": "",
  "is null": "null",
  "reports an error": '{"status":"error","data":{}}',
  "has no data": '{"status":"success"}',
  "has data of another kind": '{"status":"success","data":[1,2]}',
  "has lists of other things":
    '{"status":"success","data":{"resultType":"matrix","result":[7],"activeTargets":[7],"scrapePools":7}}',
})) {
  test(`refuses a response that ${name}`, () => {
    for (const read of [readScrapes, readPools, readSeries, (text: string) => readTargets(text, () => true)])
      assert.throws(() => read(body), Unreadable)
  })
}
