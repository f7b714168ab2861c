import assert from "node:assert/strict"
import test from "node:test"
import { find } from "../diagnosis/find.ts"
import { type ProbeReport, STAGES } from "../diagnosis/probe-report.ts"
import { explainBy } from "./explain.ts"
import type { Verdict } from "./judge.ts"
import type { ListedSite } from "./listed.ts"
import { NO_SCRAPES, type ScrapeRecord } from "./record.ts"

const site: ListedSite = {
  name: "site-a",
  labels: {},
  url: "https://site-a.example.org",
  interval: 30,
  timeout: 30,
  match: [],
  where: "sites.yaml:12:5",
  usesOAuth2: false,
  credentials: { kind: "a bearer token", method: "bearer", file: undefined },
  tls: { caFile: undefined, certFile: undefined, keyFile: undefined, serverName: undefined },
  proxyUrl: undefined,
  paused: undefined,
  entry: undefined,
}
const began = Date.parse("2026-11-30T14:07:00Z") / 1000
const TEXT = 'Get "https://site-a.example.org:443/federate": context deadline exceeded'

const failing = (error: string): ScrapeRecord => ({
  ...NO_SCRAPES,
  last: { at: began, ok: false, series: 0, kept: 0, seconds: 30 },
  error,
  failures: 2,
  failingSince: began,
})

const scrapeError: Verdict = { state: "down", cause: "scrape_error", details: {} }
const explain = explainBy(() => undefined)

/** A probe that got no connection. */
const reportAt = (at: string): ProbeReport => ({
  site: "site-a",
  at: new Date(at),
  stages: STAGES.map((stage) => ({ stage, outcome: "failed" })),
  findings: [find("no_answer", { stage: "connection" })],
})

test("a failed scrape has the reason that Prometheus' words and a later probe give together", () => {
  const record = failing(TEXT)
  const before = explain(scrapeError, { site, record, report: reportAt("2026-11-30T14:06:59Z") }, 0)
  assert.equal(before?.reason, "The site did not respond within 30 s.")
  const after = explain(scrapeError, { site, record, report: reportAt("2026-11-30T14:07:01Z") }, 0)
  assert.equal(after?.reason, "The site did not respond within 30 s: no connection was established.")
})

test("a probe is later than a failure by one clock, though Prometheus' is another", () => {
  const record = failing(TEXT)
  const report = reportAt("2026-11-30T14:02:01Z")
  const reason = (ahead: number) => explain(scrapeError, { site, record, report }, ahead)?.reason
  assert.equal(reason(0), "The site did not respond within 30 s.")
  assert.equal(reason(300_000), "The site did not respond within 30 s: no connection was established.")
})

test("one failed scrape has the reason as a part of its own", () => {
  const verdict: Verdict = { state: "attention", cause: "one_scrape_failed", details: {} }
  const record = failing('Get "https://site-a.example.org:443/federate": EOF')
  assert.equal(
    explain(verdict, { site, record, report: undefined }, 0)?.reason,
    "One scrape failed: the site accepted the connection and closed it without a response.",
  )
  assert.equal(explain(verdict, { site, record: failing(""), report: undefined }, 0)?.reason, "One scrape failed.")
})

test("a text that is not known is shown, and a site without a fault has no reason", () => {
  const record = failing("something\nnew")
  const { cause, reason } = explain(scrapeError, { site, record, report: undefined }, 0) ?? {}
  assert.equal(cause?.id, "other")
  assert.equal(
    reason,
    "The scrape failed in the middle of the response for a reason that is not known here: something new.",
  )
  assert.equal(explain({ state: "ok", cause: null, details: {} }, { site, record, report: undefined }, 0), undefined)
})
