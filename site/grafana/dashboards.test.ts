import assert from "node:assert/strict"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { test } from "node:test"
import { parse } from "yaml"
import { shippedRules, usesOf } from "../prometheus/testing.ts"
import { checkDashboard } from "../../dev/testing/grafana/checks.ts"
import { shippedQueries } from "../../dev/testing/grafana/dashboard.ts"

const { dashboard, drawn } = await checkDashboard(join(import.meta.dirname, "dashboards/site.json"))

test("every query is of Prometheus' grammar and looks at the chosen proxies where it looks at a proxy", () => {
  for (const { where, expression } of shippedQueries(dashboard)) {
    for (const [metric, labels] of usesOf(expression).matched) {
      if (!/^fedstack_(?:proxy|config|web)/.test(metric)) continue
      assert.ok(labels.has("job") && labels.has("instance"), `${where}: ${metric}`)
    }
  }
})

test("alerts that panels name are alerts that there are", async () => {
  const alerts = (await shippedRules()).map(({ alert }) => alert)
  const named = drawn.flatMap(({ description = "" }) => description.match(/\bPro(?:xy|jectUsage)[A-Z]\w+/g) ?? [])
  assert.deepEqual(
    named.filter((name) => !alerts.includes(name)),
    [],
  )
  assert.ok(named.length > 5)
})

test("Grafana is told the interval at which the site's Prometheus scrapes", async () => {
  const read = async (name: string): Promise<unknown> => parse(await readFile(join(import.meta.dirname, name), "utf8"))
  const { datasources } = (await read("provisioning/datasources/prometheus.yml")) as {
    datasources: { jsonData: { timeInterval: string } }[]
  }
  const { global } = (await read("../prometheus/prometheus.yml")) as { global: { scrape_interval: string } }
  assert.deepEqual(
    datasources.map(({ jsonData }) => jsonData.timeInterval),
    [global.scrape_interval],
  )
})
