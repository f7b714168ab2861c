import assert from "node:assert/strict"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { test } from "node:test"
import { parse } from "yaml"
import { checkDashboard } from "../../dev/testing/grafana/checks.ts"
import { greenWithoutData, shippedQueries } from "../../dev/testing/grafana/dashboard.ts"
import { usesOf } from "../../site/prometheus/testing.ts"
import { STATE_NAMES } from "../status/overview.ts"

const { dashboard, drawn } = await checkDashboard(join(import.meta.dirname, "dashboards/sites.json"))

test("no number at a glance is green without data", () => {
  assert.deepEqual(greenWithoutData(drawn), [])
})

test("no number of sites is shown while their states are unknown", () => {
  const ofStates = drawn.filter(({ title }) => Object.values(STATE_NAMES).includes(title) && title !== "Unknown")
  assert.deepEqual(
    ofStates.map(({ targets = [] }) => targets.every(({ expr }) => /unless on \(\) \(sum\(.*"unknown"/.test(expr))),
    Array.from({ length: 6 }, () => true),
  )
})

test("every query is of Prometheus' grammar, and of what the portal itself exports and its Prometheus records", () => {
  for (const { where, expression } of shippedQueries(dashboard)) {
    for (const [metric, labels] of usesOf(expression).matched) {
      if (metric !== "ALERTS") assert.ok(labels.has("site"), `${where}: ${metric}`)
      if (metric.startsWith("fedstack_portal_site_")) assert.ok(labels.has("exported_site"), `${where}: ${metric}`)
      if (metric.startsWith("site:")) assert.ok(labels.has("job"), `${where}: ${metric}`)
    }
  }
})

test("states have the words of the portal's page", () => {
  const words = new Set(Object.values(STATE_NAMES))
  const text = JSON.stringify(drawn.map(({ fieldConfig }) => fieldConfig))
  for (const word of words) assert.ok(text.includes(`"${word}"`), word)
  const titles = new Set(drawn.map(({ title }) => title))
  for (const word of words) assert.ok(titles.has(word), word)
})

test("every site that a table names leads to its page", () => {
  const tables = drawn.filter(
    ({ type, targets = [] }) => type === "table" && /by \(site|ALERTS/.test(targets[0]?.expr ?? ""),
  )
  for (const { title, fieldConfig } of tables)
    assert.match(JSON.stringify(fieldConfig), /"url":"\$\{portal\}\/sites\/\$\{__value\.raw\}"/, title)
  assert.equal(tables.length, 5)
})

test("alerts that panels name are alerts that there are", async () => {
  const file = join(import.meta.dirname, "../prometheus/rules/sites.yml")
  const { groups } = parse(await readFile(file, "utf8")) as { groups: { rules: { alert?: string }[] }[] }
  const alerts = groups.flatMap(({ rules }) => rules.map(({ alert }) => alert))
  const named = drawn.flatMap(({ description = "" }) => description.match(/\b(?:Site|Portal)[A-Z]\w+/g) ?? [])
  assert.deepEqual(
    named.filter((name) => !alerts.includes(name)),
    [],
  )
  assert.ok(named.length > 10)
})
