import assert from "node:assert/strict"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { test } from "node:test"
import { parse, stringify } from "yaml"
import { makeAuthority } from "../../dev/testing/certificates.ts"
import { need } from "../../dev/testing/component.ts"
import { findCortex, startCortex } from "../../dev/testing/cortex.ts"
import { temporaryFolder } from "../../dev/testing/folder.ts"
import { readDashboard, shippedQueries } from "../../dev/testing/grafana/dashboard.ts"
import { emptyOf, missingOfAny } from "../../dev/testing/grafana/queries.ts"
import { findKubernetes, startKubernetes } from "../../dev/testing/kubernetes.ts"
import { findPrometheus, startPrometheus } from "../../dev/testing/prometheus.ts"
import { until } from "../../dev/testing/until.ts"
import type { Shipped } from "../../site/prometheus/testing.ts"
import { CRD, startTestInformer } from "../tenancy/rules/testing.ts"

const RULES = join(import.meta.dirname, "../prometheus/rules/rules-informer.yml")

/** The label that what a site shares has. */
const OF_SITES = /\{site\}$/

async function rules(): Promise<readonly Shipped[]> {
  const { groups } = parse(await readFile(RULES, "utf8")) as { groups: { rules: { alert: string; expr: string }[] }[] }
  return groups
    .flatMap((group) => group.rules)
    .map(({ alert, expr }) => ({ where: alert, expression: expr, shown: [] }))
}

const group = (name: string, expr: string) => ({ name, rules: [{ alert: "Down", expr }] })
const object = (name: string, tenants: readonly string[], ...groups: readonly object[]) => ({
  ...{ apiVersion: "open-metrics.vgs.io/v1", kind: "OpenMetricsRule" },
  ...{ metadata: { namespace: "one", name }, spec: { tenants, groups } },
})

test(
  "Prometheus 2.42 and 3.5 have all that the dashboard of the rules informer and its alerts use",
  { timeout: 300_000 },
  async (t) => {
    const [kube, cortex] = [need(t, findKubernetes()), need(t, findCortex())]
    const folders = (["2.42", "3.5"] as const).map((version) => need(t, findPrometheus(version)))
    if (kube === undefined || cortex === undefined) return
    const [{ kubectl, kubeconfig }, { url: ruler }] = await Promise.all([
      startKubernetes(t, kube),
      startCortex(t, cortex),
    ])
    await kubectl(["apply", "-f", CRD])
    await kubectl(["wait", "--for=condition=Established", "-f", CRD])
    await kubectl(["create", "namespace", "one"])
    // without a resource: red's is in the way of one, blue's becomes one
    for (const tenant of ["red", "blue"]) {
      const headers = { "x-scope-orgid": tenant, "content-type": "application/yaml" }
      const body = stringify(group(`of-${tenant}`, "up == 2"))
      const { status } = await fetch(`${ruler}/api/v1/rules/one`, { method: "POST", headers, body })
      assert.equal(status, 202)
    }
    const files = temporaryFolder(t)
    const authority = makeAuthority("webhook")
    const { cert, key } = authority.issue({ name: "webhook", sans: ["IP:127.0.0.1"] })
    await files.write("tls.crt", cert)
    await files.write("tls.key", key)
    const web = await files.write("web.yml", "tls_server_config: { cert_file: tls.crt, key_file: tls.key }\n")
    const informer = await startTestInformer(t, [
      ...["--kubeconfig", kubeconfig, "--namespace", "one", "--ruler-upstream-url", ruler],
      ...["--tracker", "tenant=blue:mirror", "--tracker-poll-interval-seconds", "1"],
      ...["--web.admission", "127.0.0.1:0", "--web.admission.config.file", web],
      ...["--web.admission.ca-file", await files.write("ca.crt", authority.cert)],
    ])
    const objects = [
      object("a", ["red", "blue"], group("first", "up == 0"), group("invalid", "sum(up")),
      object("b", ["red"], group("of-red", "up == 0")),
    ]
    await kubectl(["apply", "-f", "-"], objects.map((one) => JSON.stringify(one)).join("\n---\n"))

    const queries = shippedQueries(await readDashboard(join(import.meta.dirname, "dashboards/rules-informer.json")))
    const config = {
      global: { scrape_interval: "500ms", scrape_timeout: "500ms", evaluation_interval: "500ms" },
      rule_files: [RULES],
      scrape_configs: [
        {
          job_name: "rules-informer",
          static_configs: [{ targets: [new URL(informer.url).host], labels: { namespace: "tenancy" } }],
        },
      ],
    }
    const file = await files.write("prometheus.yml", stringify(config))
    const shows = async (folder: string): Promise<void> => {
      const prometheus = await startPrometheus(folder, file)
      t.after(() => prometheus.stop())
      await until("all panels to show something", async () => {
        assert.deepEqual(await emptyOf(queries, prometheus.url), [])
        return true
      })
      const missing = await missingOfAny([...queries, ...(await rules())], prometheus.url)
      assert.deepEqual(
        missing.filter((what) => !OF_SITES.test(what)),
        [],
      )
    }
    await Promise.all(folders.flatMap((folder) => (folder === undefined ? [] : shows(folder))))
  },
)
