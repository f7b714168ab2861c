import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { start } from "../../../../dev/testing/child.ts"
import { need } from "../../../../dev/testing/component.ts"
import { findPrometheus, startPrometheus } from "../../../../dev/testing/prometheus.ts"
import { until } from "../../../../dev/testing/until.ts"
import { fileOf, startTestExporter } from "./testing.ts"

const root = join(import.meta.dirname, "../../../..")
const fixture = (name: string): string => join(root, "dev/fixtures", name)
const SITE_A = ["-d", fixture("site-a.toml"), "-w", fixture("weights.toml"), "--domain"]

/** What promtool finds, without its repetitions. */
function lint(folder: string, text: string): readonly string[] {
  const { stderr, error } = spawnSync(join(folder, "promtool"), ["check", "metrics"], { input: text, encoding: "utf8" })
  if (error !== undefined) throw error
  return [...new Set(stderr.split("\n").filter((line) => line !== ""))]
}

/** Promtool's findings on names that must stay for those who bill by them. */
const COMPATIBILITY_NAMES: readonly string[] = ["project_mb_usage metric names should not contain abbreviated units"]

for (const golden of ["with-weights.prom", "plain.prom"]) {
  test(`promtool has nothing against ${golden} but a name kept for compatibility`, (t) => {
    const folder = need(t, findPrometheus())
    if (folder === undefined) return
    const text = readFileSync(join(import.meta.dirname, "testdata", golden), "utf8")
    assert.deepEqual(lint(folder, text), COMPATIBILITY_NAMES)
  })
}

test("promtool has nothing against a real scrape but that name", async (t) => {
  const folder = need(t, findPrometheus())
  if (folder === undefined) return
  const exporter = await startTestExporter(t, SITE_A)
  const text = await (await fetch(exporter.url)).text()
  // names that prom-client gives to the process's metrics are not ours to choose
  assert.deepEqual(
    lint(folder, text).filter((line) => !line.startsWith("nodejs_")),
    COMPATIBILITY_NAMES,
  )
})

test("a real Prometheus with the original stack's configuration reads usage from the first scrape on", async (t) => {
  const folder = need(t, findPrometheus())
  if (folder === undefined) return
  const exporter = await startTestExporter(t, SITE_A)
  const target = new URL(exporter.url).host
  const config = `scrape_configs:
  - job_name: project_usages
    scrape_interval: 1s
    metrics_path: /
    params: {'match[]': ['{__name__=~"project_.*_usage"}']}
    static_configs: [{targets: ['${target}']}]
`
  const prometheus = await startPrometheus(folder, fileOf(t, config, "prometheus.yml"))
  t.after(() => prometheus.stop())
  const query = '{job="project_usages",__name__=~"project_.*_usage"}'
  const result = await until("usage", async () => {
    const found = await prometheus.query(query)
    return found.length > 0 ? found : undefined
  })
  assert.equal(result.length, 10)
  const monitoring = result.find(
    ({ metric }) => metric["__name__"] === "project_vcpu_usage" && metric.project_name === "site-monitoring",
  )
  assert.deepEqual(monitoring?.metric, {
    __name__: "project_vcpu_usage",
    domain_id: "8e2a6c0d4b7f4f19a3d5c1e9b8f7a624",
    domain_name: "operations",
    instance: target,
    job: "project_usages",
    project_id: "3b8e7d6c5a4f4e3d2c1b0a9f8e7d6c5b",
    project_name: "site-monitoring",
  })
  assert.equal(monitoring.value[1], String(9.5 * 24 * 6))
})

test("the command serves from the shell, and ends in order on SIGTERM", async () => {
  const child = start(join(root, "bin/fedstack"), [
    "exporter",
    "project-usage",
    ...SITE_A,
    "--web.listen-address",
    "127.0.0.1:0",
  ])
  const port = await until("the exporter", () => /127\.0\.0\.1:(\d+)/.exec(child.output())?.[1])
  const text = await (await fetch(`http://127.0.0.1:${port}/`)).text()
  assert.match(text, /^project_vcpu_usage\{.*project_name="genome-assembly"\} [\d.]+$/m)
  assert.equal(await child.stop(), 0)
})

test("the command's exit code distinguishes wrong usage from wrong files", async (t) => {
  const run = async (...args: readonly string[]): Promise<readonly [number | string, string]> => {
    const child = start(join(root, "bin/fedstack"), ["exporter", "project-usage", ...args])
    return [await child.ended, child.output()]
  }
  const file = fileOf(t, "[a]\nb = 1\n")
  assert.deepEqual(await run("-d", file, "-s", "2025-01-01"), [1, `${file}:2 a.b: unknown key\n`])
  assert.deepEqual(await run("-d", file, "-s", "someday"), [
    2,
    '--start: must be a date such as 2025-01-31 or 2025-01-31T08:00:00 (UTC) (is "someday")\n',
  ])
})
