import assert from "node:assert/strict"
import { test } from "node:test"
import { Agent } from "undici"
import { temporaryFolder } from "../../dev/testing/folder.ts"
import { need } from "../../dev/testing/component.ts"
import { findPrometheus, startPrometheus } from "../../dev/testing/prometheus.ts"
import { until } from "../../dev/testing/until.ts"
import { prometheusApi } from "./prometheus-api.ts"
import { NO_SCRAPES, withScrape } from "./record.ts"
import { fakeSites, sample } from "./sites.testing.ts"
import { listedSite } from "./testing.ts"
import { newlyListed, track } from "./tracked.ts"
import { openVisibility } from "./visible.ts"

test("counts only what a site sent: no alert about it, no recorded series, no note of its scrapes", async (t) => {
  const prometheus = need(t, findPrometheus())
  if (prometheus === undefined) return
  const { url, responses } = await fakeSites(t)
  responses.set("refused", sample(7200))
  responses.set("meta", 'up{job="theirs"} 1\nscrape_samples_scraped{job="theirs"} 5\n')
  const names = ["delivers", "refused", "meta"]
  const folder = temporaryFolder(t)
  const of = (name: string, about: object) => ({ record: name, expr: "group by (site) (up)", ...about })
  const rules = [
    { alert: "Late", expr: "group by (site) (up)" },
    { alert: "Later", expr: "group by (site) (up)", for: "1h" },
    of("anyone:up", {}),
    of("site:up", {}),
  ]
  await folder.write("rules.yml", JSON.stringify({ groups: [{ name: "all", interval: "1s", rules }] }))
  const job = (name: string) => ({
    job_name: name,
    metrics_path: `/${name}/federate`,
    honor_labels: true,
    scrape_interval: "1s",
    static_configs: [{ targets: [new URL(url).host], labels: { site: name } }],
  })
  const config = { rule_files: ["rules.yml"], scrape_configs: names.map(job) }
  const running = await startPrometheus(prometheus, await folder.write("prometheus.yml", JSON.stringify(config)))
  t.after(() => running.stop())
  await until("the alerts and the series of all sites", async () => {
    const found = await running.query('{__name__=~"ALERTS|anyone:up",site!=""}')
    return found.length === 9 ? true : undefined
  })
  const agent = new Agent()
  t.after(() => agent.destroy())
  const api = prometheusApi({ url: new URL(running.url), sending: () => ({ agent, headers: {} }) })
  const at = Date.now() / 1000
  const record = withScrape(NO_SCRAPES, { at, ok: true, seconds: 0, series: 1, kept: 1 }, 30)
  const moment = { now: at * 1000, ahead: 0, known: true, readySince: at }
  const visibility = openVisibility(api)
  const counted: (readonly [name: string, series: number, isNew: boolean])[] = []
  for (const [turn, name] of names.entries()) {
    const sites = new Map([[name, { ...track(listedSite(name), newlyListed(moment), "prometheus", 0), record }]])
    for (const [site, { series, newest }] of await visibility(sites, at + 10 * turn, AbortSignal.timeout(10_000)))
      counted.push([site, series, newest !== undefined])
  }
  assert.deepEqual(counted, [
    ["delivers", 1, true],
    ["refused", 0, false],
    ["meta", 2, false],
  ])
})
