import assert from "node:assert/strict"
import test from "node:test"
import type { ProbeReport } from "../diagnosis/probe-report.ts"
import { STAGES } from "../diagnosis/probe-report.ts"
import type { Overview, SiteDetails } from "../status/overview.ts"
import { parseFilter } from "./filter.ts"
import { page, summary } from "./page.ts"
import { row } from "./row.ts"
import { notThatSite, siteArticle, sitePage } from "./site-page.ts"
import { fakeBanner, fakeSite, NOW } from "./fake-sites.testing.ts"
import { fakeFrame } from "./testing.ts"

/** Everything that a site, Prometheus or a URL can bring, in every field. */
function worldOf(text: string) {
  const status = fakeSite(text, {
    labels: { [text]: text, location: text },
    url: text,
    state: "down",
    cause: text,
    causeTitle: text,
    reason: text,
    todo: text,
    shard: text,
  })
  const report: ProbeReport = {
    site: text,
    at: NOW,
    stages: STAGES.map((stage) => ({ stage, outcome: "failed", detail: text, seconds: 1 })),
    findings: [
      {
        cause: { id: text, title: text, sentence: text, todo: text },
        details: { [text]: text },
        reason: `${text}2`,
        todo: text,
      },
    ],
    clockSkew: 99,
  }
  const details: SiteDetails = {
    status,
    todoAtSite: text,
    report,
    changes: [{ at: NOW, until: NOW, count: 3, state: "down", cause: text, reason: text, text }],
    match: [text],
    where: text,
    credentials: { kind: text, method: "basic", file: text, user: text, scheme: text },
    tls: { caFile: text, certFile: text, keyFile: text, serverName: text },
    proxyUrl: text,
    paused: { by: text, at: NOW, why: text },
    tokenExpires: NOW,
    certificateExpires: NOW,
  }
  const banner = fakeBanner({ id: text, message: text, todo: text })
  const overview: Overview = {
    asOf: NOW,
    // two of them: what they share becomes a chip
    sites: [status, { ...status, state: "unknown" }],
    banners: [banner, banner],
    configConfirmed: NOW,
    ruleFiles: [],
    prometheusSeen: NOW,
  }
  return { status, details, overview }
}

const RENDERERS: Readonly<Record<string, (text: string) => string>> = {
  row: (text) => row(worldOf(text).status, NOW).text,
  summary: (text) => summary(worldOf(text).overview, NOW).text,
  page: (text) => page(fakeFrame, worldOf(text).overview, parseFilter(new URLSearchParams({ q: text })), NOW).text,
  "site page": (text) => sitePage(fakeFrame, worldOf(text).overview, worldOf(text).details, NOW, text).text,
  panel: (text) =>
    siteArticle(
      {
        ...worldOf(text).details,
        status: { ...worldOf(text).status, url: `https://a.example.org/${encodeURIComponent("a")}` },
      },
      fakeFrame.links,
      NOW,
    ).text,
  "page of no site": (text) => notThatSite(fakeFrame, worldOf(text).overview, text).text,
}

/** Tags with the names of their attributes: what a text must not change. Whether a row is found may differ. */
function skeleton(markup: string): readonly string[] {
  return [...markup.matchAll(/<[!/a-z][^<>"]*(?:"[^"]*"[^<>"]*)*>/gi)].map(([tag]) =>
    tag.replace(/"[^"]*"/g, '""').replace(" hidden", ""),
  )
}

const HOSTILE = {
  HTML: `</td></table><script>alert(1)</script><img src=x onerror="alert(2)" onload='x'>`,
  "the end of an attribute": `" autofocus onfocus="alert(1)`,
  "the end of a pre and of a textarea": "</pre></textarea></title></style><base href=//evil>",
  entities: "&lt;b&gt;&#x3C;b&#x3E;&amp;",
  "a script as URL": "javascript:alert(1)//https://a",
  "text that turns round": "\u202egpj.exe\u2066\u2069\u200f\u061c",
  "control characters": "\0\u0007\u001b[2J\u0085\u009f\u2028\u2029\ufeff\ud800",
  "100,000 characters": "x<".repeat(50_000),
}

// oxlint-disable-next-line no-control-regex -- they are what is looked for
const UNSEEN = /[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]/

for (const [renderer, render] of Object.entries(RENDERERS)) {
  for (const [kind, text] of Object.entries(HOSTILE)) {
    test(`${renderer}: ${kind} changes nothing but text`, () => {
      const given = render(text)
      assert.deepEqual(skeleton(given), skeleton(render("harmless")))
      assert.doesNotMatch(given, UNSEEN)
      assert.doesNotMatch(given, /(?:href|action|src)="(?!\/|#|https:\/\/(?:portal|grafana)\.example\.org\/)[^"]/)
      // the site's page has some 30 fields of at most 2,000 characters, each of which may become five
      assert.ok(given.length < 500_000, `${given.length}`)
    })
  }
}
