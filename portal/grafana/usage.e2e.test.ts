import assert from "node:assert/strict"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { test } from "node:test"
import { stringify } from "yaml"
import { need } from "../../dev/testing/component.ts"
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
    const portal = await startFederatedPortal(t, folder, {
      token: "the-token",
      // a site that is down has an alert, so that the table of alerts shows something
      "sites.yaml": stringify({
        sites: [
          { name: "site-a", url: site.url, interval: "1s", token: { file: "token" } },
          { name: "site-b", url: "http://127.0.0.1:1", interval: "1s", token: { file: "token" } },
        ],
      }),
      "base.yml": stringify({
        global: { evaluation_interval: "1s" },
        rule_files: ["sites", "usage"].map((name) => join(ROOT, `portal/prometheus/rules/${name}.yml`)),
      }),
    })
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
      const isAbsent = (what: string) => what.endsWith(": site:delivers{job}") // those that a site sends have one
      assert.deepEqual(
        [...new Set(missing.flat())].filter((what) => !isAbsent(what)),
        [],
      )
    })
  })
}
