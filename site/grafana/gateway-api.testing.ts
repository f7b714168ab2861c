import { join } from "node:path"
import type { TestContext } from "node:test"
import { stringify } from "yaml"
import { start } from "../../dev/testing/child.ts"
import { temporaryFolder } from "../../dev/testing/folder.ts"
import { serveGatewayObjects } from "../../dev/testing/gateway-objects.ts"
import { type RunningPrometheus, startPrometheus } from "../../dev/testing/prometheus.ts"
import { until } from "../../dev/testing/until.ts"

const ROOT = join(import.meta.dirname, "../..")

/** The address of an exporter of objects that are in order and out of order. */
export async function startGatewayExporter(
  t: TestContext,
  kubeconfig: string,
  flags: readonly string[] = [],
): Promise<string> {
  const exporter = start(join(ROOT, "bin/fedstack"), [
    ...["exporter", "gateway-api", "--web.listen-address=127.0.0.1:0", "--condition-reasons"],
    ...[`--kubeconfig=${kubeconfig}`, ...flags],
  ])
  t.after(() => exporter.stop())
  return until("the exporter to listen", () => {
    if (exporter.process.exitCode !== null) throw new Error(exporter.output())
    return /msg=listening addresses=\S*?(127\.0\.0\.1:\d+)/.exec(exporter.output())?.[1]
  })
}

/**
 * A Prometheus that scrapes two exporters of the same objects, one that lists and one that watches, as the operator has it
 * scrape with one of the ServiceMonitors: a target's labels, of which `dropped` are dropped.
 */
export async function scrapeGatewayObjects(
  t: TestContext,
  folder: string,
  honorLabels: boolean,
  dropped: string,
): Promise<RunningPrometheus> {
  const kubeconfig = await serveGatewayObjects(t)
  const targets = await Promise.all(
    [[], ["--kubernetes.watch"]].map((mode) => startGatewayExporter(t, kubeconfig, mode)),
  )
  const labels = {
    cluster: "test",
    namespace: "monitoring",
    service: "gateway-api-exporter",
    pod: "gateway-api-exporter-5f95d-a",
    container: "exporter",
    endpoint: "metrics",
  }
  const { write } = temporaryFolder(t)
  const config = {
    global: { scrape_interval: "1s", scrape_timeout: "1s", evaluation_interval: "1s" },
    rule_files: [join(ROOT, "site/prometheus/rules/gateway-api.yml")],
    scrape_configs: [
      {
        job_name: "gateway-api-exporter",
        honor_labels: honorLabels,
        relabel_configs: [{ action: "labeldrop", regex: dropped }],
        static_configs: [{ targets, labels }],
      },
    ],
  }
  const prometheus = await startPrometheus(folder, await write("prometheus.yml", stringify(config)))
  t.after(() => prometheus.stop())
  return prometheus
}
