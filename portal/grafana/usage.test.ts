import assert from "node:assert/strict"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { test } from "node:test"
import { parse } from "yaml"
import { checkDashboard } from "../../dev/testing/grafana/checks.ts"
import { shippedQueries } from "../../dev/testing/grafana/dashboard.ts"
import { usesOf } from "../../site/prometheus/testing.ts"

const { dashboard, drawn } = await checkDashboard(join(import.meta.dirname, "dashboards/usage.json"))

test("every query is of Prometheus' grammar and looks at the chosen sites", () => {
  for (const { where, expression } of shippedQueries(dashboard)) {
    for (const [metric, labels] of usesOf(expression).matched) {
      if (metric !== "ALERTS") assert.ok(labels.has("site"), `${where}: ${metric}`)
    }
  }
})

test("alerts that panels name are alerts that there are", async () => {
  const named = drawn.flatMap(({ description = "" }) => description.match(/\b(?:Site|ProjectUsage)[A-Z]\w+/g) ?? [])
  const alerts = (await Promise.all(["sites", "usage"].map(alertsOf))).flat()
  assert.deepEqual(
    named.filter((name) => !alerts.includes(name)),
    [],
  )
  assert.ok(named.length > 3)
})

test("Grafana's interval is the one at which the portal's Prometheus federates", async () => {
  const { datasources } = (await readYaml("provisioning/datasources/prometheus.yml")) as {
    datasources: { jsonData: { timeInterval: string } }[]
  }
  const { global } = (await readYaml("../prometheus/prometheus.yml")) as { global: { scrape_interval: string } }
  assert.deepEqual(
    datasources.map(({ jsonData }) => jsonData.timeInterval),
    [global.scrape_interval],
  )
})

async function alertsOf(name: string): Promise<readonly (string | undefined)[]> {
  const { groups } = (await readYaml(`../prometheus/rules/${name}.yml`)) as {
    groups: { rules: { alert?: string }[] }[]
  }
  return groups.flatMap(({ rules }) => rules.map(({ alert }) => alert))
}

async function readYaml(name: string): Promise<unknown> {
  return parse(await readFile(join(import.meta.dirname, name), "utf8"))
}
