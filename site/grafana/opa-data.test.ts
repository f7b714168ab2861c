import assert from "node:assert/strict"
import { join } from "node:path"
import { test } from "node:test"
import { checkDashboard } from "../../dev/testing/grafana/checks.ts"
import { greenWithoutData, shippedQueries } from "../../dev/testing/grafana/dashboard.ts"
import { shippedRules, usesOf } from "../prometheus/testing.ts"

const { dashboard, drawn } = await checkDashboard(join(import.meta.dirname, "dashboards/opa-data.json"))

test("every query is of Prometheus' grammar and looks at the chosen clusters", () => {
  for (const { where, expression } of shippedQueries(dashboard)) {
    for (const [metric, labels] of usesOf(expression).matched) {
      if (metric.startsWith("opa_")) assert.ok(labels.has("cluster_name"), `${where}: ${metric}`)
    }
  }
})

test("without the exporter's series no number at a glance is green", () => {
  assert.deepEqual(greenWithoutData(drawn), [])
})

test("alerts that panels name are alerts that there are", async () => {
  const alerts = (await shippedRules(["opa-data"])).map(({ alert }) => alert)
  const named = drawn.flatMap(({ description = "" }) => description.match(/\bOpaData[A-Z]\w+/g) ?? [])
  assert.deepEqual(
    named.filter((name) => !alerts.includes(name)),
    [],
  )
  assert.ok(named.length > 3)
})
