import assert from "node:assert/strict"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { test, type TestContext } from "node:test"
import { stringify } from "yaml"
import { start } from "../../dev/testing/child.ts"
import { need } from "../../dev/testing/component.ts"
import { temporaryFolder } from "../../dev/testing/folder.ts"
import { readDashboard, shippedQueries } from "../../dev/testing/grafana/dashboard.ts"
import { missingOf, resultsOf } from "../../dev/testing/grafana/queries.ts"
import { findPrometheus } from "../../dev/testing/prometheus.ts"
import { until } from "../../dev/testing/until.ts"
import { startFederatedPortal, startSite } from "../federation/testing.ts"

const ROOT = join(import.meta.dirname, "../..")
const EXPOSITION = join(ROOT, "site/exporter/collectors/project-usage/testdata/with-weights.prom")

for (const version of ["2.42", "3.5"] as const) {
  test(`all that the usage dashboard asks of Prometheus ${version} is there`, { timeout: 120_000 }, async (t) => {
    const folder = need(t, findPrometheus(version))
    if (folder === undefined) return
    const site = await startSite(t, folder, await readFile(EXPOSITION, "utf8"))
    site.tokens.add("the-token")
    const base = {
      global: { evaluation_interval: "1s" },
      rule_files: ["sites", "usage"].map((name) => join(ROOT, `portal/prometheus/rules/${name}.yml`)),
    }
    const portal = await startFederatedPortal(t, folder, {
      token: "the-token",
      // a site that is down has an alert, so that the table of alerts shows something
      "sites.yaml": stringify({
        sites: [
          { name: "site-a", url: site.url, interval: "1s", token: { file: "token" } },
          { name: "site-b", url: "http://127.0.0.1:1", interval: "1s", token: { file: "token" } },
        ],
      }),
      "base.yml": stringify(base),
    })
    const itself = {
      job_name: "portal",
      scrape_interval: "1s",
      static_configs: [{ targets: [new URL(portal.url).host] }],
    }
    await portal.write("base.yml", stringify({ ...base, scrape_configs: [itself] }))
    const queries = shippedQueries(await readDashboard(join(import.meta.dirname, "dashboards/usage.json")))

    await t.test("every query shows something", async () => {
      await until("all panels to show something", async () => {
        const empty: string[] = []
        for (const { where, expression } of queries) {
          if ((await resultsOf(portal.prometheus.url, expression)) === 0) empty.push(where)
        }
        assert.deepEqual(empty, [])
        return true
      })
    })

    await t.test("a site that never delivered is counted and shown", async () => {
      const shown = async (title: string) => {
        const { expression = "" } = queries.find(({ where }) => where === `panel ${title} A`) ?? {}
        const series = await portal.prometheus.query(expression)
        return series.map(({ metric: { site: name }, value: [, value] }) => [name, value])
      }
      await until("both sites to be scraped", async () => {
        assert.deepEqual(await shown("Sites"), [[undefined, "2"]])
        assert.deepEqual(await shown("Sites that deliver"), [[undefined, "1"]])
        assert.deepEqual(await shown("Sites that do not deliver"), [[undefined, "1"]])
        assert.deepEqual(await shown("Stale sites"), [[undefined, "0"]])
        const [first, ...others] = await shown("Time since the last usage")
        assert.deepEqual(first, ["site-b", "+Inf"])
        assert.deepEqual(
          others.map(([name]) => name),
          ["site-a"],
        )
        return true
      })
    })

    await t.test("metrics and labels that queries name exist", async () => {
      const missing = await Promise.all(queries.map((shipped) => missingOf(shipped, portal.prometheus.url)))
      // those that a site sends have one
      const isAbsent = (what: string) =>
        /: (?:site:delivers\{job|\w+\{exported_site|ALERTS\{(?:job|site))\}$/.test(what)
      assert.deepEqual(
        [...new Set(missing.flat())].filter((what) => !isAbsent(what)),
        [],
      )
    })
  })
}

/** What an expression results in after an hour of series that are written as for promtool, without names. */
async function resultAfterAnHour(
  t: TestContext,
  folder: string,
  expression: string,
  series: Readonly<Record<string, string>>,
  expected: readonly { readonly labels: string; readonly value: number }[],
) {
  const input = Object.entries(series).map(([name, values]) => ({ series: name, values }))
  const expectation = { expr: expression, eval_time: "1h", exp_samples: expected }
  const tests = [{ interval: "1m", input_series: input, promql_expr_test: [expectation] }]
  const file = await temporaryFolder(t).write("test.yml", stringify({ evaluation_interval: "1m", tests }))
  const promtool = start(join(folder, "promtool"), ["test", "rules", file])
  assert.equal(await promtool.ended, 0, promtool.output())
}

async function expressionOf(title: string): Promise<string> {
  const { panels } = await readDashboard(join(import.meta.dirname, "dashboards/usage.json"))
  const [target] = panels.find((panel) => panel.title === title && panel.type !== "row")?.targets ?? []
  return target?.expr.replaceAll("$site", ".*") ?? ""
}

test("a site counts as stale by its own interval, and only while it is listed", async (t) => {
  const folder = need(t, findPrometheus())
  if (folder === undefined) return
  const interval = (site: string) => `fedstack_portal_site_interval_seconds{job="portal",site="${site}"}`
  const usage = (site: string) => `project_vcpu_usage{site="${site}",project_name="p"}`
  const series = {
    [interval("fresh")]: "60x60",
    [usage("fresh")]: "1x60",
    [interval("stale")]: "60x60",
    [usage("stale")]: "1x50 stale",
    [interval("rare")]: "600x60",
    [usage("rare")]: "1 _x8 1 _x9 1 _x9 1 _x9 1 _x9 1 _x9 _",
    [interval("rare-and-stale")]: "600x60",
    [usage("rare-and-stale")]: "1x30 stale",
    [usage("removed")]: "1x30 stale",
    'fedstack_portal_site_interval_seconds{job="portal",site="fresh",exported_site="rare"}': "1x60",
  }
  await resultAfterAnHour(t, folder, await expressionOf("Stale sites"), series, [{ labels: "{}", value: 2 }])
})

test("alerts that sites share are not taken for the portal's", async (t) => {
  const folder = need(t, findPrometheus())
  if (folder === undefined) return
  const own = [
    'ALERTS{alertname="PortalDown",alertstate="firing",job="portal"}',
    'ALERTS{alertname="SiteDown",alertstate="firing",site="site-a"}',
  ]
  const shared = 'ALERTS{alertname="PortalDown",alertstate="firing",job="site-a",site="site-a"}'
  const series = Object.fromEntries([...own, shared].map((name) => [name, "1x60"]))
  const expected = own.map((labels) => ({ labels, value: 1 }))
  await resultAfterAnHour(t, folder, await expressionOf("Alerts"), series, expected)
})
