import assert from "node:assert/strict"
import { test } from "node:test"
import { scrapesQuery } from "./scrapes.ts"
import { type Scraped, windowOf } from "./window.ts"

const site = (last: number | undefined, interval = 30, timeout = 30): Scraped => ({
  site: { interval, timeout, paused: undefined },
  record: { last: last === undefined ? undefined : { at: last } },
})
const NOW = 10_000

test("requests five minutes at first, and after a time without Prometheus that is longer", () => {
  assert.deepEqual([windowOf([], NOW, undefined), windowOf([], NOW, NOW - 4000)], [300, 300])
})

test("requests a few seconds where no scrape is under way", () => {
  assert.equal(windowOf([site(NOW - 10), site(NOW - 29), site(undefined)], NOW, NOW - 1), 8)
})

test("goes back to the begin of the oldest scrape under way", () => {
  assert.equal(windowOf([site(NOW - 10), site(NOW - 50)], NOW, NOW - 1), 23)
})

test("does not wait for a scrape that is later than its timeout, nor for a paused site", () => {
  const paused = { ...site(NOW - 50), site: { interval: 30, timeout: 30, paused: {} } }
  assert.equal(windowOf([site(NOW - 500), paused], NOW, NOW - 1), 8)
})

test("goes back to the poll before, where that was later than it should", () => {
  assert.equal(windowOf([site(NOW - 10)], NOW, NOW - 20), 23)
})

test("requests the samples themselves, with their times", () => {
  assert.equal(
    scrapesQuery(7.2),
    '{__name__=~"up|scrape_duration_seconds|scrape_samples_scraped|scrape_samples_post_metric_relabeling",site!=""}[8s]',
  )
})
