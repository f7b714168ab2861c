import assert from "node:assert/strict"
import { test } from "node:test"
import { find } from "../diagnosis/find.ts"
import type { ProbeReport } from "../diagnosis/probe-report.ts"
import { type Facts, judge } from "./judge.ts"
import { NO_SCRAPES, type ScrapeRecord, withScrape } from "./record.ts"
import type { Scrape } from "./scrapes.ts"

const NOW = 1_000_000

const scrape = (at: number, about: Partial<Scrape> = {}): Scrape => ({
  at,
  ok: true,
  seconds: 1,
  series: 100,
  kept: 100,
  ...about,
})
const FAILED = { ok: false, series: 0, kept: 0 }
const EMPTY = { series: 0, kept: 0 }

/** After these scrapes, with their ages in seconds; with words, where the last one failed. */
function record(...scrapes: readonly Scrape[]): ScrapeRecord {
  const folded = scrapes.reduce((before, one) => withScrape(before, one, 30), NO_SCRAPES)
  return folded.last?.ok === false ? { ...folded, error: "refused", errorAt: folded.last.at } : folded
}

const ago = (seconds: number, about: Partial<Scrape> = {}): Scrape => scrape(NOW - seconds, about)

const report = (about: Partial<ProbeReport>): ProbeReport => ({
  site: "a",
  at: new Date(NOW * 1000),
  stages: [],
  findings: [],
  ...about,
})

/** The state and cause of a site that is scraped every 30 s. */
function judged(about: Partial<Facts>): string {
  const { state, cause, details } = judge({
    interval: 30,
    timeout: 30,
    paused: false,
    usesOAuth2: false,
    record: record(ago(10)),
    now: NOW,
    expectedSince: NOW - 86_400,
    hasPool: true,
    seriesDayAgo: 100,
    report: undefined,
    visible: undefined,
    ...about,
  })
  const shown = Object.entries(details).map(([name, value]) => ` ${name}=${value}`)
  return `${state} ${cause}${shown.join("")}`
}

const CASES: Readonly<Record<string, readonly [Partial<Facts>, string]>> = {
  delivers: [{}, "ok null"],
  "is paused, whatever it did before": [{ paused: true, record: record(ago(10, FAILED)) }, "paused null"],
  "was never scraped, and is just listed": [
    { record: NO_SCRAPES, expectedSince: NOW - 5 },
    "waiting waiting since=12 Jan 1970, 13:46:35 UTC due=12 Jan 1970, 13:47:05 UTC",
  ],
  "was never scraped in two intervals and the timeout": [
    { record: NO_SCRAPES, expectedSince: NOW - 106 },
    "down scrape_overdue interval=30 seconds",
  ],
  "is scraped once an hour and was not scraped yet": [
    { interval: 3600, record: NO_SCRAPES, expectedSince: NOW - 7000 },
    "waiting waiting since=12 Jan 1970, 11:50:00 UTC due=12 Jan 1970, 12:50:00 UTC",
  ],
  "is scraped once an hour, the last time 50 minutes ago": [{ interval: 3600, record: record(ago(3000)) }, "ok null"],
  "was scraped too long ago": [
    { record: record(ago(106)) },
    "down scrape_overdue since=12 Jan 1970, 13:44:54 UTC interval=30 seconds",
  ],
  "was scraped two intervals and the timeout ago, which Prometheus may exceed by a little": [
    { record: record(ago(105)) },
    "ok null",
  ],
  "failed long ago, and was not scraped since": [
    { record: record(ago(300, FAILED), ago(270, FAILED)) },
    "down scrape_overdue since=12 Jan 1970, 13:42:10 UTC interval=30 seconds",
  ],
  "is scraped, and Prometheus stores nothing": [
    { record: { ...record(ago(106)), listedAt: NOW - 3 } },
    "down portal_storage",
  ],
  "is scraped, and Prometheus never stored anything": [
    { record: { ...NO_SCRAPES, health: "up", listedAt: NOW - 3 }, expectedSince: NOW - 106 },
    "down portal_storage",
  ],
  "is no longer scraped, and a last scrape was not stored": [
    { record: { ...record(ago(206)), listedAt: NOW - 150 } },
    "down scrape_overdue since=12 Jan 1970, 13:43:14 UTC interval=30 seconds",
  ],
  "was scraped before Prometheus was away": [
    { record: record(ago(600)), expectedSince: NOW - 20 },
    "waiting waiting since=12 Jan 1970, 13:46:20 UTC due=12 Jan 1970, 13:46:50 UTC",
  ],
  "was never scraped, and it is not known since when it should be": [
    { record: NO_SCRAPES, expectedSince: NOW },
    "waiting waiting",
  ],
  "waits for a token of a server that does not respond": [
    { record: { ...record(ago(200)), health: "unknown" }, usesOAuth2: true },
    "down token_endpoint_hangs",
  ],
  "has its token, and is no longer scraped": [
    { record: { ...record(ago(200)), health: "up" }, usesOAuth2: true },
    "down scrape_overdue since=12 Jan 1970, 13:43:20 UTC interval=30 seconds",
  ],
  "has no job in Prometheus": [{ hasPool: false }, "down not_scraped"],
  "may have no job: Prometheus does not say": [{ hasPool: undefined }, "ok null"],
  "failed once": [{ record: record(ago(40), ago(10, FAILED)) }, "attention one_scrape_failed"],
  "failed twice": [{ record: record(ago(70), ago(40, FAILED), ago(10, FAILED)) }, "down scrape_error"],
  "failed twice since it is listed": [{ record: record(ago(40, FAILED), ago(10, FAILED)) }, "down scrape_error"],
  "failed once, two intervals ago": [{ record: record(ago(61, FAILED)) }, "down scrape_error"],
  "failed twice, and the words are still to be read": [
    { record: { ...record(ago(40, FAILED), ago(2, FAILED)), error: "" } },
    "attention one_scrape_failed",
  ],
  "failed twice, and Prometheus has no words for it": [
    { record: { ...record(ago(50, FAILED), ago(20, FAILED)), error: "" } },
    "down scrape_error",
  ],
  "failed once in an hour": [
    { interval: 3600, record: record(ago(3700), ago(100, FAILED)) },
    "attention one_scrape_failed",
  ],
  "failed, then succeeded": [{ record: record(ago(40, FAILED), ago(10)) }, "ok null"],
  "responded once without series": [{ record: record(ago(40), ago(10, EMPTY)) }, "attention one_scrape_failed"],
  "responds without series": [{ record: record(ago(40, EMPTY), ago(10, EMPTY)) }, "down silent_empty"],
  "is scraped every 5 minutes, and showed nothing at the last look": [
    {
      interval: 300,
      record: record(ago(10)),
      visible: { at: NOW - 900, scraped: NOW - 910, series: 0, newest: undefined },
    },
    "stale silent_stale",
  ],
  "has all of its series dropped by rules": [
    { record: record(ago(40, { kept: 0 }), ago(10, { kept: 0 })) },
    "down silent_dropped n=100",
  ],
  "failed, then responded without series": [{ record: record(ago(40, FAILED), ago(10, EMPTY)) }, "down silent_empty"],
  "delivers series of which none can be seen": [
    { visible: { at: NOW - 5, scraped: NOW - 10, series: 0, newest: undefined } },
    "stale silent_stale",
  ],
  "delivers series of which none can be seen, and its clock is wrong": [
    {
      visible: { at: NOW - 5, scraped: NOW - 10, series: 0, newest: undefined },
      report: report({ clockSkew: 3600.4 }),
    },
    "stale silent_clock skew=3600",
  ],
  "delivers old samples": [
    { visible: { at: NOW - 5, scraped: NOW - 10, series: 100, newest: NOW - 200 } },
    "stale silent_stale since=12 Jan 1970, 13:43:20 UTC",
  ],
  "delivers samples that are as old as the interval of its exporter": [
    { visible: { at: NOW - 5, scraped: NOW - 10, series: 100, newest: NOW - 100 } },
    "ok null",
  ],
  "delivers samples of the moment of its scrape, which is long ago": [
    {
      interval: 300,
      record: record(ago(240)),
      visible: { at: NOW - 5, scraped: NOW - 240, series: 100, newest: NOW - 250 },
    },
    "ok null",
  ],
  "delivers series of which none can be seen, and its clock is behind": [
    {
      visible: { at: NOW - 5, scraped: NOW - 10, series: 0, newest: undefined },
      report: report({ clockSkew: -3600.4 }),
    },
    "stale silent_clock skew=-3600",
  ],
  "delivered old samples when it was looked at last": [
    { visible: { at: NOW - 290, scraped: NOW - 310, series: 100, newest: NOW - 500 } },
    "stale silent_stale since=12 Jan 1970, 13:38:20 UTC",
  ],
  "delivered old samples long ago": [
    { visible: { at: NOW - 500, scraped: NOW - 510, series: 100, newest: NOW - 700 } },
    "ok null",
  ],
  "delivered old samples, and failed since": [
    {
      visible: { at: NOW - 45, scraped: NOW - 70, series: 0, newest: undefined },
      record: record(ago(70), ago(40, FAILED), ago(10, FAILED)),
    },
    "down scrape_error",
  ],
  "has samples that a probe saw to be old": [
    { report: report({ findings: [find("silent_stale", { age: "9 min" })] }) },
    "stale silent_stale age=9 min",
  ],
  "is not reached by a probe, while scrapes succeed": [{ report: report({ findings: [find("refused")] }) }, "ok null"],
  "gives samples twice": [{ report: report({ findings: [find("silent_duplicate")] }) }, "attention silent_duplicate"],
  "has a certificate that ends soon": [
    { report: report({ certificateExpires: new Date((NOW + 6.5 * 86_400) * 1000) }) },
    "attention certificate_expires in=in 6 days not_after=19 Jan 1970, 01:46:40 UTC",
  ],
  "has a certificate that ends in 13 days": [
    { report: report({ certificateExpires: new Date((NOW + 13.5 * 86_400) * 1000) }) },
    "attention certificate_expires in=in 13 days not_after=26 Jan 1970, 01:46:40 UTC",
  ],
  "has a token of the portal's with less than a quarter of its life": [
    { token: { issued: NOW - 2701, expires: NOW + 899, now: NOW } },
    "attention token_expires in=in 14 minutes do=The portal signs it and could not renew it, or not reload Prometheus: see the banner above the sites besides= and the portal's log",
  ],
  "has a token of the portal's with a quarter of its life": [
    { token: { issued: NOW - 2700, expires: NOW + 900, now: NOW } },
    "ok null",
  ],
  "has a certificate that ends in three weeks": [
    { report: report({ certificateExpires: new Date((NOW + 21 * 86_400) * 1000) }) },
    "ok null",
  ],
  "takes most of its timeout, once": [{ record: record(ago(40), ago(10, { seconds: 25 })) }, "ok null"],
  "takes most of its timeout": [
    { record: record(ago(40, { seconds: 25 }), ago(10, { seconds: 24.1 })) },
    "attention nearly_too_slow took=24.1 s timeout=30 s",
  ],
  "lost a fifth of its series": [{ record: record(ago(10, { series: 80 })) }, "ok null"],
  "lost more than a fifth of its series": [
    { record: record(ago(10, { series: 79 })) },
    "attention series_dropped now=79 before=100",
  ],
  "lost more than a fifth of few series": [{ record: record(ago(10, { series: 4 })), seriesDayAgo: 8 }, "ok null"],
  "was not there a day ago": [{ seriesDayAgo: null }, "ok null"],
  "has series that Prometheus does not count": [{ record: record(ago(10, { series: null, kept: null })) }, "ok null"],
}

for (const [name, [about, expected]] of Object.entries(CASES)) {
  test(`judges a site that ${name}`, () => assert.equal(judged(about), expected))
}

test("shows what keeps a site from delivering before what may keep it soon", () => {
  const trouble = { certificateExpires: new Date(NOW * 1000), findings: [find("silent_stale")] }
  assert.equal(judged({ report: report(trouble) }), "stale silent_stale")
  assert.equal(judged({ report: report(trouble), hasPool: false }), "down not_scraped")
})
