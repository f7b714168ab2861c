import assert from "node:assert/strict"
import { join } from "node:path"
import { type TestContext, test } from "node:test"
import { start } from "../../dev/testing/child.ts"
import { need } from "../../dev/testing/component.ts"
import { temporaryFolder } from "../../dev/testing/folder.ts"
import { readDashboard, shippedQueries } from "../../dev/testing/grafana/dashboard.ts"
import { emptyOf, missingOfAny } from "../../dev/testing/grafana/queries.ts"
import { findOpa, startOpa } from "../../dev/testing/opa.ts"
import { findPrometheus, startPrometheus, VERSIONS } from "../../dev/testing/prometheus.ts"
import { until } from "../../dev/testing/until.ts"
import { shippedRules } from "../prometheus/testing.ts"

const ROOT = join(import.meta.dirname, "../..")

for (const version of VERSIONS) {
  test(`Prometheus ${version} has all metrics and labels of OPA data that rules and dashboard use`, async (t) => {
    const folder = need(t, findPrometheus(version))
    const opa = need(t, findOpa())
    if (folder === undefined || opa === undefined) return
    const address = await startExporter(t, opa)
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

/** Three OPAs of which one lacks an item and a path, and a fourth that is not there. Its address. */
async function startExporter(t: TestContext, folder: string): Promise<string> {
  const urls = ["http://127.0.0.1:1"]
  for (const count of [3, 3, 2]) {
    const opa = await startOpa(folder)
    t.after(() => opa.stop())
    const items = Array.from({ length: count }, (_, index) => [`item-${index}`, { metadata: { resourceVersion: "1" } }])
    await opa.put("kubernetes/namespaces", Object.fromEntries(items))
    await opa.put("kubernetes/services", { default: Object.fromEntries(items) })
    if (count === 3) await opa.put("kubernetes/ingresses", {})
    // of what cannot be compared
    await opa.ask("PUT", "/v1/policies/computed", "package computed\nnumber := 5\n")
    urls.push(opa.url)
  }
  const exporter = start(join(ROOT, "bin/fedstack"), [
    ...["exporter", "opa-data", "--web.listen-address=127.0.0.1:0", "--cluster-name=test", "--opa-service=opa"],
    ...[
      "--opa-cluster-data=kubernetes/namespaces,computed/number",
      "--opa-namespaced-data=kubernetes/services,kubernetes/ingresses",
    ],
    // digests that come too late on a busy machine are made again at once
    ...["--interval=1", "--digest-budget=1", `--opa-token-file=${await temporaryFolder(t).write("token", "t0ken")}`],
    ...urls.map((url) => `--opa-url=${url}`),
  ])
  t.after(() => exporter.stop())
  return until("the exporter to listen", () => {
    if (exporter.process.exitCode !== null) throw new Error(exporter.output())
    return /msg=listening addresses=\S*?(127\.0\.0\.1:\d+)/.exec(exporter.output())?.[1]
  })
}
