import assert from "node:assert/strict"
import { join } from "node:path"
import { test } from "node:test"
import { checkDashboard } from "../../dev/testing/grafana/checks.ts"
import { greenWithoutData, shippedQueries } from "../../dev/testing/grafana/dashboard.ts"
import { shippedRules, usesOf } from "../prometheus/testing.ts"

const NAMES = ["gateway-api", "gateway-api-gateways", "gateway-api-routes"]
const checked = await Promise.all(
  NAMES.map((name) => checkDashboard(join(import.meta.dirname, `dashboards/${name}.json`))),
)
const drawn = checked.flatMap((one) => one.drawn)

test("every query is of Prometheus' grammar and looks at the chosen clusters", () => {
  for (const { where, expression } of checked.flatMap(({ dashboard }) => shippedQueries(dashboard))) {
    for (const [metric, labels] of usesOf(expression).matched) assert.ok(labels.has("cluster"), `${where}: ${metric}`)
  }
})

test("without the exporter's series no number at a glance is green", () => {
  assert.deepEqual(greenWithoutData(drawn), [])
})

test("alerts that panels name are alerts that there are", async () => {
  const alerts = (await shippedRules(["gateway-api"])).map(({ alert }) => alert)
  const named = drawn.flatMap(
    ({ description = "" }) =>
      description.match(/\b(?:GatewayApi[A-Z]\w+|UnhealthyGateway|InsecureHTTPListener)\b/g) ?? [],
  )
  assert.deepEqual(
    named.filter((name) => !alerts.includes(name)),
    [],
  )
  assert.ok(named.length > 15)
})
