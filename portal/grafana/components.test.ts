import assert from "node:assert/strict"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { suite, test } from "node:test"
import { parse } from "yaml"
import { checkDashboard } from "../../dev/testing/grafana/checks.ts"
import { greenWithoutData, shippedQueries } from "../../dev/testing/grafana/dashboard.ts"
import { usesOf } from "../../site/prometheus/testing.ts"

/** Dashboard and rule file, and how the names of its alerts begin. */
const COMPONENTS = {
  "rules-informer": "RulesInformer",
  tenancy: "Tenancy",
  "tenancy-exposition": "TenancyExposition",
}

for (const [name, prefix] of Object.entries(COMPONENTS)) {
  suite(name, async () => {
    const { dashboard, drawn } = await checkDashboard(join(import.meta.dirname, `dashboards/${name}.json`))

    test("no number at a glance is green without data", () => {
      assert.deepEqual(greenWithoutData(drawn), [])
    })

    test("every query is of Prometheus' grammar, and of this portal, not of a site", () => {
      for (const { where, expression } of shippedQueries(dashboard)) {
        for (const [metric, labels] of usesOf(expression).matched) {
          assert.ok(labels.has("site"), `${where}: ${metric}`)
          if (metric !== "ALERTS") assert.ok(labels.has("job"), `${where}: ${metric}`)
        }
      }
    })

    test("alerts that panels name are alerts that there are, and each alert stands at a panel but for certificates", async () => {
      const alert = new RegExp(`\\b${prefix}[A-Z]\\w+`, "g")
      const named = new Set(drawn.flatMap(({ description = "" }) => description.match(alert) ?? []))
      const alerts = new Set(await alertsOf(name))
      assert.ok(alerts.delete(`${prefix}CertificateExpiresSoon`))
      assert.deepEqual([...named].toSorted(), [...alerts].toSorted())
    })
  })
}

async function alertsOf(name: string): Promise<readonly string[]> {
  const text = await readFile(join(import.meta.dirname, `../prometheus/rules/${name}.yml`), "utf8")
  const { groups } = parse(text) as { groups: { rules: { alert?: string }[] }[] }
  return groups.flatMap(({ rules }) => rules.flatMap(({ alert = [] }) => alert))
}
