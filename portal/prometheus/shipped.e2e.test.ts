import assert from "node:assert/strict"
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { test } from "node:test"
import { parse } from "yaml"
import { readText } from "#core/files/read-text.ts"
import { start } from "../../dev/testing/child.ts"
import { need } from "../../dev/testing/component.ts"
import { findPrometheus } from "../../dev/testing/prometheus.ts"
import { loadPlan } from "../federation/load.ts"
import { publish } from "../federation/publish.ts"
import { sitesFileSchema } from "../federation/schema.ts"
import { parseYaml } from "#core/config/config-file.ts"
import { testInputs } from "../federation/testing.ts"

const root = join(import.meta.dirname, "../..")
const [site, portal] = [join(root, "site/prometheus"), join(root, "portal/prometheus")]

const checks: readonly (readonly string[])[] = [
  ["check", "config", join(site, "prometheus.yml")],
  ["check", "config", join(portal, "prometheus.yml")],
  ["check", "config", join(portal, "local.yml")],
  ["check", "config", join(portal, "push.yml")],
  ["check", "config", join(portal, "tenancy.yml")],
  [
    "check",
    "rules",
    ...["gateway-api", "opa-data", "project-usage", "prometheus", "proxy"].map((name) =>
      join(site, `rules/${name}.yml`),
    ),
  ],
  [
    "check",
    "rules",
    ...["prometheus", "rules-informer", "sites", "tenancy", "tenancy-exposition", "usage"].map((name) =>
      join(portal, `rules/${name}.yml`),
    ),
  ],
  ["test", "rules", join(site, "tests/gateway-api.yml")],
  ["test", "rules", join(site, "tests/gateway-api-day.yml")],
  ["test", "rules", join(site, "tests/opa-data.yml")],
  ["test", "rules", join(site, "tests/project-usage.yml")],
  ["test", "rules", join(site, "tests/prometheus.yml")],
  ["test", "rules", join(site, "tests/proxy.yml")],
  ["test", "rules", join(portal, "tests/prometheus.yml")],
  ["test", "rules", join(portal, "tests/rules-informer.yml")],
  ["test", "rules", join(portal, "tests/rules-informer-days.yml")],
  ["test", "rules", join(portal, "tests/shards.yml")],
  ["test", "rules", join(portal, "tests/site-states.yml")],
  ["test", "rules", join(portal, "tests/sites.yml")],
  ["test", "rules", join(portal, "tests/tenancy.yml")],
  ["test", "rules", join(portal, "tests/tenancy-days.yml")],
  ["test", "rules", join(portal, "tests/tenancy-exposition.yml")],
  ["test", "rules", join(portal, "tests/tenancy-exposition-days.yml")],
  ["test", "rules", join(portal, "tests/usage.yml")],
]

/** What each promtool found wrong, by its folder: that of this machine is often one of the versions. */
const findings = new Map<string, Promise<readonly string[]>>()

async function runChecks(folder: string): Promise<readonly string[]> {
  const faults: string[] = []
  for (const args of checks) {
    const promtool = start(join(folder, "promtool"), args)
    const code = await promtool.ended
    if (code !== 0) faults.push(`promtool ${args.join(" ")} ended with ${code}:\n${promtool.output()}`)
  }
  return faults
}

for (const version of ["2.42", "2.53", "3.5", undefined] as const) {
  test(`promtool ${version ?? "of this machine"} accepts the shipped configurations, and the alerts pass their tests`, async (t) => {
    const folder = need(t, findPrometheus(version))
    if (folder === undefined) return
    const found = findings.get(folder) ?? runChecks(folder)
    findings.set(folder, found)
    assert.deepEqual(await found, [])
  })
}

test("the shipped base configuration and sites.example.yaml become a configuration with its rules beside it", async (t) => {
  const folder = need(t, findPrometheus())
  if (folder === undefined) return
  const output = await mkdtemp(join(tmpdir(), "fedstack-shipped-"))
  t.after(() => rm(output, { recursive: true }))
  const plan = await loadPlan(
    {
      sitesFile: join(root, "portal/sites.example.yaml"),
      baseConfig: join(portal, "prometheus.yml"),
      prometheusVersion: { major: 2, minor: 42 },
    },
    [],
    testInputs({}, readText),
  )
  await publish(output, plan.of().files)
  const promtool = start(join(folder, "promtool"), ["check", "config", join(output, "prometheus.yml")])
  assert.equal(await promtool.ended, 0, promtool.output())
  assert.match(promtool.output(), /6 rule files found/)
})

test("a rule file whose name has characters of patterns is loaded", async (t) => {
  const folder = need(t, findPrometheus())
  if (folder === undefined) return
  const output = await mkdtemp(join(tmpdir(), "fedstack-rules-"))
  t.after(() => rm(output, { recursive: true }))
  await writeFile(join(output, "base.yml"), "rule_files: ['a*.yml']\n")
  await writeFile(join(output, "a[1]*.yml"), "groups: []\n")
  await writeFile(join(output, "sites.yaml"), "sites: []\n")
  const plan = await loadPlan(
    {
      sitesFile: join(output, "sites.yaml"),
      baseConfig: join(output, "base.yml"),
      prometheusVersion: { major: 2, minor: 42 },
    },
    [],
    testInputs({}, readText),
  )
  await publish(join(output, "out"), plan.of().files)
  const promtool = start(join(folder, "promtool"), ["check", "config", join(output, "out/prometheus.yml")])
  assert.equal(await promtool.ended, 0, promtool.output())
  assert.match(promtool.output(), /1 rule files found/)
})

test("the sites that sites.example.yaml shows in comments are right", async () => {
  const text = (await readFile(join(root, "portal/sites.example.yaml"), "utf8")).replaceAll(/^ {2}# /gm, "  ")
  assert.deepEqual(
    parseYaml(text, "sites.yaml", sitesFileSchema).value.sites.map(({ name }) => name),
    ["site-a", "site-b", "site-c", "site-d"],
  )
})

test("the base configurations for Docker and for one machine differ by host and by the path of Prometheus only", async () => {
  const [docker, local] = await Promise.all(
    ["prometheus.yml", "local.yml"].map(async (name) => parse(await readFile(join(portal, name), "utf8")) as unknown),
  )
  assert.deepEqual(
    local,
    JSON.parse(
      JSON.stringify(docker)
        .replace("portal:8090", "localhost:8090")
        .replace(',"metrics_path":"/prometheus/metrics"', ""),
    ),
  )
})

/** What the base configuration of a profile adds. */
for (const { profile, services, targets, urls } of [
  { profile: "push", services: ["push"], targets: ["push:19092"], urls: undefined },
  {
    profile: "tenancy",
    services: ["push", "tenancy-proxy", "tenancy-exposition", "cortex"],
    targets: ["push:19092", "tenancy-proxy:19092", "tenancy-exposition:19095", "cortex:9009"],
    urls: ["http://tenancy-proxy:19093/api/v1/push"],
  },
]) {
  test(`the base configuration of the profile ${profile} is the one for Docker, with its services`, async () => {
    const read = async (name: string) => parse(await readFile(join(portal, name), "utf8")) as Base
    const [docker, own] = await Promise.all([read("prometheus.yml"), read(`${profile}.yml`)])
    const { remote_write, storage, scrape_configs, ...others } = own
    const jobs = docker.scrape_configs.length
    assert.deepEqual({ ...others, scrape_configs: scrape_configs.slice(0, jobs) }, docker)
    assert.deepEqual(
      scrape_configs.slice(jobs).flatMap(({ static_configs }) => static_configs.flatMap((each) => each.targets)),
      targets,
    )
    assert.deepEqual(
      remote_write?.map(({ url }) => url),
      urls,
    )
    assert.deepEqual(storage, { tsdb: { out_of_order_time_window: "3h" } })
    const compose = parse(await readFile(join(root, "docker-compose.portal.yml"), "utf8"), { merge: true }) as {
      services: Readonly<Record<string, { profiles?: readonly string[] }>>
    }
    const started = Object.entries(compose.services).filter(([, { profiles }]) => profiles?.includes(profile))
    assert.deepEqual(
      started.map(([name]) => name),
      services,
    )
  })
}

interface Base {
  readonly scrape_configs: readonly {
    readonly job_name: string
    readonly static_configs: readonly { readonly targets: readonly string[] }[]
  }[]
  readonly storage?: object
  readonly remote_write?: readonly { readonly url: string }[]
}
