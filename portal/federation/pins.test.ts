import assert from "node:assert/strict"
import { test, type TestContext } from "node:test"
import { ConfigurationError } from "#core/errors.ts"
import { readText } from "#core/files/read-text.ts"
import { temporaryFolder } from "../../dev/testing/folder.ts"
import { checkSites } from "./check.ts"
import { loadPlan } from "./load.ts"
import type { Shard } from "./shards.ts"
import { testInputs } from "./testing.ts"

const shards = (...names: readonly string[]): readonly Shard[] =>
  names.map((name) => ({ name, url: new URL(`http://${name}:9090`), folder: `/nowhere/${name}`, named: true }))
const entry = (name: string, more = ""): string =>
  `  - {name: ${name}, url: "https://${name}.example.org", labels: {location: ${name}}, token: {env: TOKEN}${more}}\n`
const env = { TOKEN: "t0ken" }

interface Given {
  readonly sites: string
  readonly base?: string
  readonly names?: readonly string[]
}

async function load(t: TestContext, { sites, base = "", names = ["a", "b.c"] }: Given) {
  const folder = temporaryFolder(t)
  const sitesFile = await folder.write("sites.yaml", `sites:\n${sites}`)
  const baseConfig = await folder.write("base.yml", base)
  const settings = { sitesFile, baseConfig, prometheusVersion: { major: 3, minor: 5 } }
  return loadPlan(settings, shards(...names), testInputs(env, readText)).catch((error: unknown) => {
    if (error instanceof ConfigurationError) throw new Error(error.message.replaceAll(folder.path, "DIR"))
    throw error
  })
}

test("refuses a pin to a shard that is gone, and what would take the place of its label", async (t) => {
  const labelled = entry("c").replace("{location: c}", "{shard: x}")
  const sites = `${entry("a", ", shard: a")}${entry("b", ", shard: gone")}${labelled}`
  const base = "global: {external_labels: {shard: x}}\n"
  await assert.rejects(load(t, { sites, base }), {
    message: [
      'DIR/sites.yaml:3:89 sites[1].shard: there is no --prometheus.shard "gone": given are a, b.c',
      "DIR/sites.yaml:4:54 sites[2].labels.shard: is set by --prometheus.shard; give this label another name",
      "DIR/base.yml global.external_labels.shard: is set by --prometheus.shard; remove it here",
    ].join("\n"),
  })
  await assert.rejects(load(t, { sites: entry("a", ", shard: a"), names: [] }), {
    message: 'DIR/sites.yaml:2:89 sites[0].shard: there is no --prometheus.shard "a": none is given',
  })
})

test("writes for a shard its own sites, its label, and which of the portal's series and alerts are not its own", async (t) => {
  const base = `alerting:
  alert_relabel_configs: &rules
    - { regex: replica, action: labeldrop }
scrape_configs:
  - job_name: portal
    metric_relabel_configs: *rules
    static_configs: [{ targets: ["portal:8090"] }]
  - job_name: own
    metric_relabel_configs: *rules
`
  const plan = await load(t, { sites: entry("site-a") + entry("site-b"), base })
  const [first] = shards("a", "b.c")
  const { files, jobs } = plan.of(plan.sites.slice(0, 1), first)
  assert.deepEqual(
    files.map(({ path }) => path.replace(/\.\w{8}$/, "")),
    ["tokens/site-a", "prometheus.yml"],
  )
  assert.deepEqual(jobs, ["portal", "own", "site-a"])
  const config = files.at(-1)?.content ?? ""
  assert.equal(
    config.slice(0, config.indexOf('  - job_name: "site-a"')),
    `# Written by fedstack portal: edit sites.yaml or the base configuration, not this file.
alerting:
  alert_relabel_configs:
    - { regex: replica, action: labeldrop }
    - source_labels:
        - "site"
        - "alertname"
      regex: ".+;.*|;Portal(?:Down|ConfigReloadFailed|StatusUnknown|SharedCause|ShardUnreachable)"
      target_label: "shard"
      replacement: ""
scrape_configs:
  - job_name: portal
    metric_relabel_configs:
      - regex: "replica"
        action: "labeldrop"
      - source_labels:
          - "shard"
        regex: "b\\\\.c"
        action: "drop"
    static_configs: [ { targets: [ "portal:8090" ] } ]
  - job_name: own
    metric_relabel_configs:
      - regex: "replica"
        action: "labeldrop"
`,
  )
  assert.match(config, /^global:\n {2}external_labels:\n {4}shard: "a"$/m)
  // no site may send the label
  assert.match(config, /regex: "\(\?:exported_\)\*\(\?:location\|shard\|site\)"/)
})

test("check sites shows at which shard each site is", async (t) => {
  const folder = temporaryFolder(t)
  const file = await folder.write("sites.yaml", `sites:\n${entry("site-a")}${entry("site-b", ", shard: a")}`)
  let printed = ""
  const context = { print: (text: string) => void (printed += text), env, signal: AbortSignal.timeout(10_000) }
  await checkSites(file, context, false, shards("a", "b.c"))
  assert.deepEqual(printed.match(/^ {2}shard .*/gm), ["  shard    b.c", "  shard    a, where sites.yaml pins it"])
  await assert.rejects(checkSites(file, context, false, shards("b.c")), /there is no --prometheus\.shard "a"/)
})
