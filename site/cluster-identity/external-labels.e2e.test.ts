import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { parse } from "yaml"
import { start } from "../../dev/testing/child.ts"
import { need } from "../../dev/testing/component.ts"
import { freePort } from "../../dev/testing/free-port.ts"
import { findPrometheus, VERSIONS } from "../../dev/testing/prometheus.ts"
import { until } from "../../dev/testing/until.ts"
import { AWS, INFRASTRUCTURE, runIdentity, serveCluster } from "./testing.ts"

const EXAMPLE = readFileSync(join(import.meta.dirname, "../kubernetes/cluster-identity/prometheus.yaml"), "utf8")
const { spec } = parse(EXAMPLE) as {
  spec: {
    template: { spec: Readonly<Record<"initContainers" | "containers", readonly { args: readonly string[] }[]>> }
  }
}
const [, labels = ""] = /^# +external_labels: (.*)$/m.exec(EXAMPLE) ?? []

for (const version of VERSIONS) {
  test(`Prometheus ${version} started as the example does has the cluster's id and region as external labels`, async (t) => {
    const folder = need(t, findPrometheus(version))
    if (folder === undefined) return
    const { path, write, kubeconfig } = await serveCluster(t, { [INFRASTRUCTURE]: AWS })
    const here = (text: string): string => text.replaceAll("/config/env", `${path}/config/env`)
    const [identity] = spec.template.spec.initContainers
    const args = ["-c/config/env/CLUSTERID", ...(identity?.args.slice(1) ?? [])].map(here)
    assert.equal((await runIdentity(args, { KUBECONFIG: kubeconfig })).code, 0)

    const port = await freePort()
    const scrape = `{ job_name: self, scrape_interval: 1s, static_configs: [{ targets: ["127.0.0.1:${port}"] }] }`
    await write("prometheus.yml", `global: { external_labels: ${labels} }\nscrape_configs: [${scrape}]\n`)
    const [prometheus] = spec.template.spec.containers
    const script = here(prometheus?.args[0] ?? "")
      .replace("/etc/prometheus", path)
      .replace(
        "--storage.tsdb.path=/prometheus",
        `--storage.tsdb.path=${path}/data --web.listen-address=127.0.0.1:${port}`,
      )
    const child = start("/bin/sh", ["-c", script], { PATH: `${folder}:${process.env.PATH}` })
    t.after(() => child.stop())
    const exported = await until("a scrape", async () => {
      const response = await fetch(`http://127.0.0.1:${port}/federate?match[]=up`)
      const text = await response.text()
      return text.includes("up{") ? text : undefined
    })
    const [series = ""] = /^up\{.*\}/m.exec(exported) ?? []
    assert.deepEqual(
      series
        .replace(/^up\{|\}$/g, "")
        .split(",")
        .toSorted(),
      ['cluster="demo-x7k2p"', `instance="127.0.0.1:${port}"`, 'job="self"', 'region="eu-central-1"'],
    )
  })
}
