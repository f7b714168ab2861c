import assert from "node:assert/strict"
import { join } from "node:path"
import { test } from "node:test"
import { checkDashboard } from "../../dev/testing/grafana/checks.ts"
import { greenWithoutData, shippedQueries } from "../../dev/testing/grafana/dashboard.ts"
import { shippedRules, usesOf } from "../prometheus/testing.ts"

const { dashboard, drawn } = await checkDashboard(join(import.meta.dirname, "dashboards/project-usage.json"))

test("no number at a glance is green without data", () => {
  assert.deepEqual(greenWithoutData(drawn), [])
})

test("every query is of Prometheus' grammar and looks at the chosen exporters", () => {
  for (const { where, expression } of shippedQueries(dashboard)) {
    for (const [metric, labels] of usesOf(expression).matched)
      assert.ok(labels.has("job") && labels.has("instance"), `${where}: ${metric}`)
  }
})

test("every alert on the exporter is named by the panel that shows what it is about", async () => {
  const named = drawn.flatMap(({ description = "" }) => description.match(/\bProjectUsage\w+/g) ?? [])
  const alerts = (await shippedRules(["project-usage"])).map(({ alert }) => alert)
  // of usage that is not there, or servers that are left out, there is nothing to draw
  const undrawn = ["ProjectUsageEnded", "ProjectUsageServersUntagged"]
  assert.deepEqual(new Set([...named, ...undrawn]), new Set(alerts))
})
