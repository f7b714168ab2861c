import assert from "node:assert/strict"
import { join } from "node:path"
import { test } from "node:test"
import { need } from "../../dev/testing/component.ts"
import { temporaryFolder } from "../../dev/testing/folder.ts"
import { readDashboard, shippedQueries } from "../../dev/testing/grafana/dashboard.ts"
import { emptyOf, missingOfAny } from "../../dev/testing/grafana/queries.ts"
import { findOpa } from "../../dev/testing/opa.ts"
import { findPrometheus, startPrometheus, VERSIONS } from "../../dev/testing/prometheus.ts"
import { until } from "../../dev/testing/until.ts"
import { shippedRules } from "../prometheus/testing.ts"
import { startOpaExporter } from "./opa-data.testing.ts"

const ROOT = join(import.meta.dirname, "../..")

for (const version of VERSIONS) {
  test(`Prometheus ${version} has all metrics and labels of OPA data that rules and dashboard use`, async (t) => {
    const folder = need(t, findPrometheus(version))
    const opa = need(t, findOpa())
    if (folder === undefined || opa === undefined) return
    const address = await startOpaExporter(t, opa, "test")
    const { write } = temporaryFolder(t)
    const config = await write(
      "prometheus.yml",
      `global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: ["${join(ROOT, "site/prometheus/rules/opa-data.yml")}"]
scrape_configs:
  - job_name: opa-data-exporter
    static_configs: [{targets: ["${address}"]}]
`,
    )
    const prometheus = await startPrometheus(folder, config)
    t.after(() => prometheus.stop())
    const queries = shippedQueries(await readDashboard(join(import.meta.dirname, "dashboards/opa-data.json")))

    await until("all panels to show something", async () => {
      assert.deepEqual(await emptyOf(queries, prometheus.url), [])
      return true
    })
    const missing = await missingOfAny([...(await shippedRules(["opa-data"])), ...queries], prometheus.url)
    assert.deepEqual(
      missing.filter((one) => !one.endsWith(": node_name")), // nodes are known in Kubernetes only
      [],
    )
  })
}
