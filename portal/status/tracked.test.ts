import assert from "node:assert/strict"
import { test } from "node:test"
import type { ProbeReport } from "../diagnosis/probe-report.ts"
import { find } from "../diagnosis/find.ts"
import { explainBy } from "./explain.ts"
import type { State } from "./overview.ts"
import { withScrape } from "./record.ts"
import { listedSite } from "./testing.ts"
import { type Moment, newlyListed, track, type Tracked, update } from "./tracked.ts"

const NOW = Date.parse("2026-11-30T14:00:00Z")
const SINCE = new Date(NOW - 86_400_000)
const explain = explainBy(() => undefined)
const momentAt = (seconds: number): Moment => ({
  now: NOW + seconds * 1000,
  ahead: 0,
  known: true,
  readySince: NOW / 1000 - 3600,
})

/** A site in a state that an earlier process found, whose scrapes succeed. */
function remembered(state: State, cause: string): Tracked {
  const { record, ...rest } = newlyListed(momentAt(-86_400))
  const change = { at: SINCE, until: SINCE, count: 1, state, cause, reason: "What was said.", text: null }
  const known = { ...rest, state, since: SINCE, changes: [change], record: delivering(record, -5) }
  return track(listedSite("a"), known, "prometheus", NOW)
}

const delivering = (record: Tracked["record"], seconds: number) =>
  withScrape(record, { at: NOW / 1000 + seconds, ok: true, seconds: 1, series: 10, kept: 10 }, 30)
const failing = (record: Tracked["record"], seconds: number) =>
  withScrape(record, { at: NOW / 1000 + seconds, ok: false, seconds: 1, series: 0, kept: 0 }, 30)

const REPORT: ProbeReport = { site: "a", at: new Date(NOW), stages: [], findings: [] }
const VISIBLE = { at: NOW / 1000, scraped: NOW / 1000 - 5, series: 10, newest: NOW / 1000 - 6 }

const shown = (tracked: Tracked, seconds = 0): string => {
  const { row, changes } = update(tracked, true, momentAt(seconds), explain)
  const since = row.since === SINCE ? "before" : "now"
  return [row.state, row.cause, row.reason, `since ${since}`, `${changes.length} changes`].join(", ")
}

const STALE = "stale, silent_stale, What was said., since before, 1 changes"
const OK = "ok, , , since now, 2 changes"

test("is stale after a restart of the portal until a probe and a look at its series show that it is not", () => {
  const site = remembered("stale", "silent_stale")
  assert.equal(shown(site), STALE)
  assert.equal(shown({ ...site, record: delivering(site.record, 5) }, 6), STALE)
  assert.equal(shown({ ...site, report: REPORT }), STALE)
  assert.equal(shown({ ...site, visible: VISIBLE }), STALE)
  assert.equal(shown({ ...site, report: REPORT, visible: VISIBLE }), OK)
})

test("is stale since the same time where the probe shows it again", () => {
  const report = { ...REPORT, findings: [find("silent_stale", { age: "9 min" })] }
  const reason = "The site responds, but its newest sample is 9 min old."
  assert.equal(
    shown({ ...remembered("stale", "silent_stale"), report, visible: VISIBLE }),
    `stale, silent_stale, ${reason}, since before, 1 changes`,
  )
})

test("needs attention after a restart until a probe shows that it does not", () => {
  const site = remembered("attention", "certificate_expires")
  assert.equal(shown(site), "attention, certificate_expires, What was said., since before, 1 changes")
  assert.equal(shown({ ...site, report: REPORT }), OK)
})

test("is no longer as it was remembered ten minutes later, where it cannot be probed", () => {
  const site = remembered("attention", "label_clash")
  const later = { ...site, record: delivering(site.record, 598) }
  assert.equal(shown(later, 599), "attention, label_clash, What was said., since before, 1 changes")
  assert.equal(shown(later, 600), OK)
})

test("does not deliver when scrapes fail, whatever was remembered", () => {
  const site = remembered("stale", "silent_stale")
  const failed = { ...site, record: { ...failing(failing(site.record, 30), 60), error: "connection refused" } }
  assert.match(shown(failed, 61), /^down, refused, /)
})

test("what scrapes show is not held over a restart", () => {
  assert.equal(shown(remembered("attention", "one_scrape_failed")), OK)
  assert.equal(shown(remembered("down", "refused")), OK)
})
