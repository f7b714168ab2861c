import assert from "node:assert/strict"
import { join } from "node:path"
import test, { type TestContext } from "node:test"
import { EVERYTHING, parseFilter } from "./filter.ts"
import type { SiteStatus } from "../status/overview.ts"
import { page, reasons, summary } from "./page.ts"
import { row } from "./row.ts"
import { sitePage } from "./site-page.ts"
import { fakeBanner, fakeSite, fakeSites, NOW } from "./fake-sites.testing.ts"
import { fakeSource } from "./fake-source.testing.ts"
import { fakeFrame } from "./testing.ts"

/** Compares with a file that people read; `node --test --test-update-snapshots` writes it anew. */
function same(t: TestContext, file: string, text: string): void {
  t.assert.fileSnapshot(text, join(import.meta.dirname, "testdata", file), { serializers: [String] })
}

const before = (seconds: number): Date => new Date(NOW.getTime() - seconds * 1000)

test("renders a row for each state", (t) => {
  const sites = fakeSites(30)
  const first = (state: string) => sites.find((site) => site.state === state)
  const listed = ["down", "stale", "attention", "waiting", "ok", "paused"]
    .map(first)
    .filter((site) => site !== undefined)
  const unknown = fakeSite("site-u", {
    ...listed[0],
    name: "site-u",
    state: "unknown",
    lastState: "down",
    since: before(90),
  })
  const slow = fakeSite("site-s", {
    state: "attention",
    durationSeconds: 24.08,
    series: 1000,
    seriesDayAgo: 900,
    labels: {},
  })
  same(t, "rows.html", [...listed, slow, unknown].map((site) => row(site, NOW).text).join("\n"))
})

test("renders a whole page", (t) => {
  const source = fakeSource(fakeSites(2))
  const filter = parseFilter(new URLSearchParams("?state=down&sort=-name"))
  same(t, "page.html", page(fakeFrame, source.current(), filter, NOW).text)
})

test("renders a page of which nothing is known now", (t) => {
  const source = fakeSource(fakeSites(2).map((site) => ({ ...site, state: "unknown" })))
  source.replace({
    banners: [fakeBanner(), fakeBanner({ id: "drift", severity: "attention" })],
    prometheusSeen: before(330),
  })
  same(t, "page-unknown.html", page(fakeFrame, source.current(), EVERYTHING, NOW).text)
})

test("renders a page without sites", (t) => {
  same(
    t,
    "page-empty.html",
    page(fakeFrame, { ...fakeSource([]).current(), configConfirmed: null }, EVERYTHING, NOW).text,
  )
})

test("renders the page of a site", (t) => {
  const source = fakeSource(fakeSites(2))
  const details = source.site("aachen-1")
  if (details !== undefined) same(t, "site.html", sitePage(fakeFrame, source.current(), details, NOW).text)
})

test("renders the page of a site that pushes, with what its Prometheus needs", (t) => {
  const [site] = fakeSites(1)
  const status = fakeSite("kiel-1", {
    ...{ labels: { location: "Kiel" }, url: "", state: "down", lastState: "down", since: before(600), series: null },
    ...{ cause: "push_silent", causeTitle: "writes nothing", durationSeconds: null, lastDelivery: before(900) },
    reason: "The site has not written since 30 Nov 2026, 13:52:31 UTC.",
    todo: "Ask the site's admin whether their Prometheus runs.",
  })
  const source = fakeSource([...(site === undefined ? [] : [site]), status])
  source.changeDetails("kiel-1", {
    ...{ pushes: { tenant: "kiel" }, report: undefined, changes: [], proxyUrl: undefined },
    credentials: { kind: "a bearer token", method: "none", file: undefined },
    match: ['{job="project_usages",__name__=~"project_.*_usage"}', 'up{job="project_usages"}'],
  })
  const details = source.site("kiel-1")
  const frame = { ...fakeFrame, links: { ...fakeFrame.links, push: "https://portal.example.org/api/v1/write" } }
  if (details !== undefined) same(t, "site-pushing.html", sitePage(frame, source.current(), details, NOW).text)
})

test("leads from the page of a site to no other Prometheus than the one that scrapes it", () => {
  const source = fakeSource([fakeSite("site-a", { shard: "a" })])
  const details = source.site("site-a")
  const shows = (prometheusOf?: string): boolean | undefined => {
    const links = { prometheus: "/prometheus", ...(prometheusOf !== undefined && { prometheusOf }) }
    return (
      details &&
      sitePage({ ...fakeFrame, links }, source.current(), details, NOW).text.includes("Its series in Prometheus")
    )
  }
  assert.deepEqual([shows(), shows("a"), shows("b")], [true, true, false])
})

test("says as of when the sites are shown, of those that one of several Prometheus does not tell of too", () => {
  const states = (...of: readonly SiteStatus["state"][]): string => {
    const overview = fakeSource(of.map((state, index) => fakeSite(`site-${index}`, { state }))).current()
    const text = summary({ ...overview, prometheusSeen: before(330) }, NOW).text.replaceAll(/<[^>]*>/g, "")
    return /\d UTC\.\n(.*)\n/.exec(text)?.[1] ?? text
  }
  const whole = "Prometheus last responded 5 min ago: what is below is as of 30 Nov 2026, 14:02:01 UTC."
  assert.deepEqual(
    [states("ok", "down"), states("unknown", "unknown"), states("unknown", "paused"), states("unknown", "ok")],
    [
      "Shown as of 14:07:31 UTC.",
      whole,
      whole,
      "What is unknown is as of 30 Nov 2026, 14:02:01 UTC, 5 min ago; all else as of 14:07:31 UTC.",
    ],
  )
})

test("offers the reasons that several sites share, the chosen one always, and none of sites that wait", () => {
  const of = (name: string, cause: string, state: SiteStatus["state"] = "down") =>
    fakeSite(name, { state, cause, causeTitle: cause })
  const sites = [
    of("a", "shared"),
    of("b", "shared"),
    of("c", "alone"),
    ...["d", "e"].map((name) => of(name, "waiting", "waiting")),
  ]
  const offered = (query: string): readonly string[] =>
    [...reasons(sites, parseFilter(new URLSearchParams(query))).text.matchAll(/data-reason="(\w+)"/g)].map(
      ([, id = ""]) => id,
    )
  assert.deepEqual([offered(""), offered("?reason=alone")], [["shared"], ["shared", "alone"]])
})
