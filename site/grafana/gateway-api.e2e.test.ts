import assert from "node:assert/strict"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { test } from "node:test"
import { parse } from "yaml"
import { need } from "../../dev/testing/component.ts"
import { readDashboard, shippedQueries } from "../../dev/testing/grafana/dashboard.ts"
import { emptyOf, missingOfAny, resultsOf } from "../../dev/testing/grafana/queries.ts"
import { findPrometheus, VERSIONS } from "../../dev/testing/prometheus.ts"
import { until } from "../../dev/testing/until.ts"
import { shippedRules } from "../prometheus/testing.ts"
import { scrapeGatewayObjects } from "./gateway-api.testing.ts"

const NAMES = ["gateway-api", "gateway-api-gateways", "gateway-api-routes"]
const MONITORS = join(import.meta.dirname, "../kubernetes/gateway-api")

interface Monitor {
  readonly spec: {
    readonly endpoints: readonly {
      readonly honorLabels: boolean
      readonly relabelings: readonly { readonly regex: string }[]
    }[]
  }
}

async function monitorOf(name: string): Promise<{ readonly honorLabels: boolean; readonly dropped: string }> {
  const { spec } = parse(await readFile(join(MONITORS, name), "utf8")) as Monitor
  const [endpoint] = spec.endpoints
  return { honorLabels: endpoint?.honorLabels ?? false, dropped: endpoint?.relabelings[0]?.regex ?? "" }
}

for (const version of VERSIONS) {
  test(`Prometheus ${version} has all that alerts and dashboards on Gateway API objects use`, async (t) => {
    const folder = need(t, findPrometheus(version))
    if (folder === undefined) return
    const { honorLabels, dropped } = await monitorOf("servicemonitor.yaml")
    const prometheus = await scrapeGatewayObjects(t, folder, honorLabels, dropped)
    const dashboards = NAMES.map((name) => readDashboard(join(import.meta.dirname, `dashboards/${name}.json`)))
    const queries = (await Promise.all(dashboards)).flatMap(shippedQueries)

    await until("all panels to show something", async () => {
      assert.deepEqual(await emptyOf(queries, prometheus.url), [])
      return true
    })
    const missing = await missingOfAny([...(await shippedRules(["gateway-api"])), ...queries], prometheus.url)
    assert.deepEqual(
      // the other way to scrape has it
      missing.filter((one) => !one.endsWith(": exported_namespace")),
      [],
    )
  })
}

test("what the dashboards and alerts of others use is there, in the way to scrape that they need", async (t) => {
  const folder = need(t, findPrometheus())
  if (folder === undefined) return
  const { uses } = parse(await readFile(join(import.meta.dirname, "testdata/queries-of-others.yaml"), "utf8")) as {
    uses: readonly { readonly monitor: string; readonly of: string; readonly labels: Record<string, string[]> }[]
  }
  for (const monitor of new Set(uses.map((use) => use.monitor))) {
    await t.test(monitor, async (inner) => {
      const { honorLabels, dropped } = await monitorOf(monitor)
      const prometheus = await scrapeGatewayObjects(inner, folder, honorLabels, dropped)
      for (const { of, labels } of uses.filter((use) => use.monitor === monitor)) {
        for (const [metric, names] of Object.entries(labels)) {
          // a label of the target's, in place of the object's, would be there, too
          const all = names.map((name) => `${name}!~"|monitoring|gateway-api-exporter"`).join()
          await until(`${of}: ${metric}{${all}}`, async () =>
            (await resultsOf(prometheus.url, `${metric}{${all}}`)) > 0 ? true : undefined,
          )
        }
      }
    })
  }
})
