import assert from "node:assert/strict"
import { createServer } from "node:http"
import { suite, test } from "node:test"
import * as fc from "fast-check"
import { stringify } from "yaml"
import { need } from "../../dev/testing/component.ts"
import { listen } from "../../dev/testing/listen.ts"
import { findPrometheus, VERSIONS } from "../../dev/testing/prometheus.ts"
import { until } from "../../dev/testing/until.ts"
import { startFederatedPortal } from "./testing.ts"

type Labels = Readonly<Record<string, string>>

const SITE = "site-a"
const PORTAL: Labels = { site: SITE, location: "city $1", zone: "z", exported_zone: "outer" }
/** Of the portal (external_labels) and of another site. */
const EXTERNAL: Labels = { replica: "r", exported_rack: "x", job: "j", le: "l" }
const OTHER: Labels = { region: "r" }
/** How many `exported_` a label of these names gets, with however many it has already. */
const RENAMED = { site: 1, location: 1, zone: 2, replica: 1, exported_rack: 1, region: 1 }
const FIRST_NAMES = [...Object.keys(RENAMED), "rack", "job", "instance", "le", "a", "exported_", "__x"]

const name = fc
  .tuple(
    fc.constantFrom("", "", "exported_", "exported_exported_", "exported_".repeat(9)),
    fc.constantFrom(...FIRST_NAMES),
  )
  .map(([prefix, first]) => prefix + first)
const value = fc.constantFrom("", "", "1", "2", ";", "a\nb", '\\"', "ü", SITE, "other", "city $1", "z", "outer")
const labelSet = fc.record({
  __name__: fc.constantFrom("m", "m", "up", "scrape_samples_scraped", "scrape_errors:sum", "site:up"),
  labels: fc.dictionary(name, value, { maxKeys: 7, noNullPrototype: true }),
})
const samples = fc.sample(labelSet, { numRuns: 3000, seed: 11 })

/** What an empty label is to Prometheus: no label. */
const present = (labels: Labels): Labels => Object.fromEntries(Object.entries(labels).filter(([, text]) => text !== ""))
const byName = (labels: Labels) => JSON.stringify(Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1)))

/** How the portal is to show a series, by its documentation. */
function shown(sent: Labels): Labels {
  const { __name__: metric = "", job = SITE, ...rest } = present(sent)
  const isOfScrape = /^(?:up|scrape_\w*)$/.test(metric) && new RegExp(`^(?:exported_)*${SITE}$`).test(job)
  const seen: Record<string, string> = { __name__: metric, job: isOfScrape ? `exported_${job}` : job, ...PORTAL }
  for (const [label, text] of Object.entries(rest)) {
    if (PORTAL[label] === text) continue
    const [, prefixes = 0] =
      Object.entries(RENAMED).find(([first]) => new RegExp(`^(?:exported_)*${first}$`).test(label)) ?? []
    seen["exported_".repeat(prefixes) + label] = text
  }
  return seen
}

/** As Prometheus federates them: a series without instance says so. */
const line = ({ __name__: metric = "", ...labels }: Labels, index: number) =>
  `${metric}{${Object.entries({ instance: "", ...labels })
    .map(
      ([label, text]) =>
        `${label}="${text
          .replaceAll("\\", String.raw`\\`)
          .replaceAll('"', String.raw`\"`)
          .replaceAll("\n", String.raw`\n`)}"`,
    )
    .join(",")}} ${index}\n`

// most of the time they wait
suite("of each version", { concurrency: true }, () => {
  for (const version of VERSIONS) {
    test(`series that differ at a site differ at the portal's Prometheus ${version}, whatever their labels`, async (t) => {
      const prometheus = need(t, findPrometheus(version))
      if (prometheus === undefined) return
      // a label with the portal's own value is none; job too, where a series has none
      const distinct = new Map<string, Labels>()
      for (const { __name__, labels } of samples) {
        const series: Labels = { __name__, ...present(labels) }
        const agreeing = Object.entries(series).filter(
          ([label, text]) => PORTAL[label] !== text && !(label === "job" && text === SITE),
        )
        distinct.set(byName(Object.fromEntries(agreeing)), series)
      }
      const sent = [...distinct.values()]
      const server = createServer((_, response) =>
        response.setHeader("content-type", "text/plain; version=0.0.4").end(sent.map(line).join("")),
      )
      const port = await listen(t, server)
      const { site: _site, ...labels } = PORTAL
      const portal = await startFederatedPortal(t, prometheus, {
        token: "token",
        "base.yml": stringify({ global: { external_labels: EXTERNAL } }),
        "sites.yaml": stringify({
          sites: [
            {
              name: SITE,
              url: `http://127.0.0.1:${port}`,
              labels,
              interval: "1s",
              timeout: "1s",
              token: { file: "token" },
            },
            { name: "other", url: "http://127.0.0.1:1", labels: OTHER, token: { file: "token" } },
          ],
        }),
      })
      await until("a whole scrape", async () => {
        const [added] = await portal.prometheus.query(`scrape_samples_scraped{job="${SITE}"}`)
        return added?.value[1] === String(sent.length) ? true : undefined
      })
      const series = await portal.prometheus.query(`{site="${SITE}",instance!="127.0.0.1:${port}"}`)
      const found = new Map(series.map(({ metric, value: [, index] }) => [byName(metric), Number(index)]))
      assert.deepEqual(found, new Map(sent.map((one, index) => [byName(shown(one)), index])))
      assert.equal(found.size, sent.length)
      assert.ok(sent.length > 2000)
    })
  }
})

test("a label of the names under which labels wait to be renamed is not kept", async (t) => {
  const prometheus = need(t, findPrometheus())
  if (prometheus === undefined) return
  const server = createServer((_, response) =>
    response
      .setHeader("content-type", "text/plain; version=0.0.4")
      .end('m{instance="",__tmp_fedstack_="1",__tmp_fedstack_a="2",__tmp_fedstack_site="3",site="x"} 1\n'),
  )
  const port = await listen(t, server)
  const { prometheus: portal } = await startFederatedPortal(t, prometheus, {
    token: "token",
    "sites.yaml": stringify({
      sites: [{ name: SITE, url: `http://127.0.0.1:${port}`, interval: "1s", timeout: "1s", token: { file: "token" } }],
    }),
  })
  const found = await until("the series", async () => {
    const series = await portal.query("m")
    return series.length > 0 ? series.map(({ metric }) => metric) : undefined
  })
  assert.deepEqual(found, [{ __name__: "m", job: SITE, site: SITE, exported_site: "x" }])
})
