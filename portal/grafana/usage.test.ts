import assert from "node:assert/strict"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { test } from "node:test"
import { parse } from "yaml"
import { checkDashboard } from "../../dev/testing/grafana/checks.ts"
import { shippedQueries } from "../../dev/testing/grafana/dashboard.ts"
import { usesOf } from "../../site/prometheus/testing.ts"

const { dashboard, drawn } = await checkDashboard(join(import.meta.dirname, "dashboards/usage.json"))

test("every query is of Prometheus' grammar and looks at the chosen sites", () => {
  for (const { where, expression } of shippedQueries(dashboard)) {
    for (const [metric, labels] of usesOf(expression).matched) {
      if (metric !== "ALERTS") assert.ok(labels.has("site"), `${where}: ${metric}`)
    }
  }
})

test("alerts that panels name are alerts that there are", async () => {
  const named = drawn.flatMap(({ description = "" }) => description.match(/\b(?:Site|ProjectUsage)[A-Z]\w+/g) ?? [])
  const alerts = (await Promise.all(["sites", "usage"].map(alertsOf))).flat()
  assert.deepEqual(
    named.filter((name) => !alerts.includes(name)),
    [],
  )
  assert.ok(named.length > 3)
})

test("no number of sites at a glance is green without data, nor where sites are missing", () => {
  const stats = drawn.filter(({ type, title }) => type === "stat" && /^(?:Sites that do not|Stale)/.test(title))
  assert.deepEqual(
    stats.map(({ fieldConfig }) => fieldConfig?.defaults.thresholds?.steps.map(({ color }) => color)),
    [
      ["red", "green", "red"],
      ["red", "green", "red"],
    ],
  )
  assert.deepEqual(
    drawn.filter(({ targets = [] }) => targets.some(({ expr }) => expr.includes("vector("))).map(({ title }) => title),
    [],
  )
})

test("every series of a site that never delivered usage is chosen too", () => {
  const chosen = dashboard.templating.list.find(({ name }) => name === "site")
  assert.deepEqual(chosen?.query, {
    query: 'label_values(site:delivers{job=""}, site)',
    refId: "variable-site",
    qryType: 1,
  })
})

test("the provisioning names the service of Prometheus in the compose file", async () => {
  const text = await readFile(join(import.meta.dirname, "provisioning/datasources/prometheus.yml"), "utf8")
  const [, host = "", path = "", file = ""] =
    /http:\/\/(\S+):9090(\/\S*) inside the network of (docker-compose\.\w+\.yml)/.exec(text) ?? []
  const { services } = (await readYaml(`../../${file}`)) as {
    services: Readonly<Record<string, { image: string; command: readonly string[] }>>
  }
  assert.match(services[host]?.image ?? "no such service", /^prom\/prometheus:/)
  const url = services[host]?.command.find((flag) => flag.startsWith("--web.external-url=")) ?? ""
  assert.ok(url.replace(/\/$/, "").endsWith(path), url)
})

test("Grafana's interval is the one at which the portal's Prometheus federates", async () => {
  const { datasources } = (await readYaml("provisioning/datasources/prometheus.yml")) as {
    datasources: { jsonData: { timeInterval: string } }[]
  }
  const { global } = (await readYaml("../prometheus/prometheus.yml")) as { global: { scrape_interval: string } }
  assert.deepEqual(
    datasources.map(({ jsonData }) => jsonData.timeInterval),
    [global.scrape_interval],
  )
})

async function alertsOf(name: string): Promise<readonly (string | undefined)[]> {
  const { groups } = (await readYaml(`../prometheus/rules/${name}.yml`)) as {
    groups: { rules: { alert?: string }[] }[]
  }
  return groups.flatMap(({ rules }) => rules.map(({ alert }) => alert))
}

async function readYaml(name: string): Promise<unknown> {
  return parse(await readFile(join(import.meta.dirname, name), "utf8"))
}
