import assert from "node:assert/strict"
import { test } from "node:test"
import { lacksWords, NO_SCRAPES, type ScrapeRecord, withScrape, withTarget } from "./record.ts"
import type { Scrape, Target } from "./scrapes.ts"

const scrape = (at: number, about: Partial<Scrape> = {}): Scrape => ({
  at,
  ok: true,
  seconds: 1,
  series: 10,
  kept: 10,
  ...about,
})
const target = (at: number, about: Partial<Target> = {}): Target => ({
  at,
  health: "up",
  error: "",
  seconds: 1,
  ...about,
})
const down = (at: number, error: string): Target => target(at, { health: "down", error })

/** After these scrapes, of a site with a timeout of 10 s. */
const after = (...scrapes: readonly Scrape[]): ScrapeRecord =>
  scrapes.reduce((record, one) => withScrape(record, one, 10), NO_SCRAPES)

test("counts failures in a row, and scrapes without series as such", () => {
  const failed = after(scrape(30), scrape(60, { ok: false, series: 0 }), scrape(90, { series: 0, kept: 0 }))
  assert.deepEqual(failed, {
    last: scrape(90, { series: 0, kept: 0 }),
    error: "",
    errorAt: undefined,
    failures: 2,
    failingSince: 60,
    delivered: 30,
    slow: 0,
    health: "up",
    listedAt: undefined,
  })
  const again = withScrape(failed, scrape(120), 10)
  assert.deepEqual([again.failures, again.failingSince, again.delivered], [0, undefined, 120])
})

test("counts a scrape whose series are all dropped as a failure", () => {
  const dropped = after(scrape(30), scrape(60, { kept: 0 }))
  assert.deepEqual([dropped.failures, dropped.failingSince, dropped.delivered], [1, 60, 30])
})

test("counts no failed scrape as one that is nearly too slow", () => {
  assert.equal(after(scrape(30, { seconds: 9 }), scrape(60, { ok: false, seconds: 9 })).slow, 0)
})

test("lacks words for a failure that follows a success, whatever was read before", () => {
  const read = withTarget(after(scrape(30, { ok: false })), down(30, "refused"), 10, false)
  assert.deepEqual([read.error, read.errorAt, lacksWords(read)], ["refused", 30, false])
  const again = withScrape(read, scrape(60), 10)
  assert.deepEqual([again.error, again.errorAt], ["", undefined])
})

test("counts a scrape once, however often it is read, and none that is older", () => {
  const record = after(scrape(30), scrape(60, { ok: false }))
  assert.equal(withScrape(record, scrape(60, { ok: false }), 10), record)
  assert.equal(withScrape(record, scrape(60.002, { ok: false }), 10), record)
  assert.equal(withScrape(record, scrape(30), 10), record)
})

test("counts scrapes that take most of the timeout", () => {
  const seconds = [7.1, 7.1, 6.9].map((took, index) => scrape(index * 30, { seconds: took }))
  assert.deepEqual(
    [1, 2, 3].map((many) => after(...seconds.slice(0, many)).slow),
    [1, 2, 0],
  )
})

test("takes Prometheus' words for a failure from the list of targets, whose time differs by milliseconds", () => {
  const failed = after(scrape(30), scrape(60, { ok: false }))
  assert.equal(lacksWords(failed), true)
  const read = withTarget(failed, down(60.0013, "connection refused"), 10, false)
  assert.deepEqual([read.error, read.errorAt, read.failures, lacksWords(read)], ["connection refused", 60, 1, false])
})

test("keeps the words of the failure before until those of the next are read, and drops them with a success", () => {
  const first = withTarget(after(scrape(60, { ok: false })), down(60, "connection refused"), 10, false)
  const second = withScrape(first, scrape(90, { ok: false }), 10)
  assert.deepEqual([second.error, lacksWords(second)], ["connection refused", true])
  assert.equal(withTarget(second, down(90, "no such host"), 10, false).error, "no such host")
  assert.equal(withScrape(second, scrape(120), 10).error, "")
})

test("takes a failure from the list of targets before its series are there, and counts it once", () => {
  const listed = withTarget(after(scrape(30)), down(60.001, "connection refused"), 10, false)
  assert.deepEqual([listed.failures, listed.error], [1, "connection refused"])
  const both = withScrape(listed, scrape(60, { ok: false, series: 0, kept: 0 }), 10)
  assert.deepEqual([both.failures, both.error, both.last?.series], [1, "connection refused", 0])
})

test("leaves words of an older failure alone", () => {
  const failed = after(scrape(30), scrape(60, { ok: false }))
  assert.equal(withTarget(failed, down(30, "old"), 10, false).error, "")
})

test("waits for the series of a success, unless there is no query API", () => {
  const record = after(scrape(30))
  assert.equal(withTarget(record, target(60), 10, false).last?.at, 30)
  const alone = withTarget(record, target(60), 10, true)
  assert.deepEqual([alone.last, alone.delivered], [{ at: 60, ok: true, seconds: 1, series: null, kept: null }, 60])
})

test("does not take a target that Prometheus has just made for a scrape", () => {
  const record = after(scrape(30))
  const made = withTarget(record, target(0, { health: "unknown" }), 10, true)
  assert.deepEqual([made.last?.at, made.health], [30, "unknown"])
})

test("keeps words of 2 kB at most, without control characters", () => {
  const { error } = withTarget(
    after(scrape(60, { ok: false })),
    down(60, `a\n\u001b[31m\u202e${"ü".repeat(9000)}`),
    10,
    false,
  )
  assert.equal(Buffer.byteLength(error) <= 2048, true)
  assert.match(error, /^a \[31m ü+…$/)
})
