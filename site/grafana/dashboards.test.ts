import assert from "node:assert/strict"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { test } from "node:test"
import { parse } from "yaml"
import { shippedRules, usesOf } from "../prometheus/testing.ts"
import { type Panel, readDashboard, shippedQueries } from "./testing.ts"

const dashboard = await readDashboard()
const { panels } = dashboard
const drawn = panels.filter(({ type }) => type !== "row")

test("every panel has an id and a title of its own", () => {
  for (const key of ["id", "title"] as const) {
    const values = drawn.map((panel) => `${panel[key]}${key === "title" ? panel.type : ""}`)
    assert.deepEqual(values, [...new Set(values)])
  }
})

test("every panel says in a sentence what it shows, has a unit and asks something", () => {
  const lacking = drawn.filter(
    ({ description = "", fieldConfig, targets = [] }) =>
      !/^.{20,200}\.$/.test(description) || fieldConfig?.defaults.unit === undefined || targets.length === 0,
  )
  assert.deepEqual(
    lacking.map(({ title }) => title),
    [],
  )
})

test("panels lie within the grid of 24 columns and on no other", () => {
  const cells = panels.flatMap(cellsOf)
  assert.deepEqual(
    panels.filter(({ gridPos: { x, w } }) => x < 0 || x + w > 24).map(({ title }) => title),
    [],
  )
  assert.equal(new Set(cells).size, cells.length)
})

test("everything is asked of the data source that is chosen at the top", () => {
  const sources = drawn.flatMap(({ datasource, targets = [] }) => [datasource, ...targets.map((one) => one.datasource)])
  for (const source of sources) assert.deepEqual(source, { type: "prometheus", uid: "${datasource}" })
  assert.equal(dashboard.templating.list[0]?.type, "datasource")
})

test("every variable that is used is defined, and the other way round", () => {
  const text = JSON.stringify({ ...dashboard, templating: dashboard.templating.list.map(({ query }) => query) })
  const used = [...text.matchAll(/\$\{?(\w+)/g)].map(([, name = ""]) => name).filter((name) => !name.startsWith("__"))
  const defined = dashboard.templating.list.map(({ name }) => name)
  assert.deepEqual([...new Set(used)].toSorted(), defined.toSorted())
})

test("every query is of Prometheus' grammar and looks at the chosen proxies where it looks at a proxy", () => {
  for (const { where, expression } of shippedQueries(dashboard)) {
    for (const [metric, labels] of usesOf(expression).matched) {
      if (!/^fedstack_(?:proxy|config|web)/.test(metric)) continue
      assert.ok(labels.has("job") && labels.has("instance"), `${where}: ${metric}`)
    }
  }
})

test("alerts that panels name are alerts that there are", async () => {
  const alerts = (await shippedRules()).map(({ alert }) => alert)
  const named = drawn.flatMap(({ description = "" }) => description.match(/\bPro(?:xy|jectUsage)[A-Z]\w+/g) ?? [])
  assert.deepEqual(
    named.filter((name) => !alerts.includes(name)),
    [],
  )
  assert.ok(named.length > 5)
})

test("Grafana is told the interval at which the site's Prometheus scrapes", async () => {
  const read = async (name: string): Promise<unknown> => parse(await readFile(join(import.meta.dirname, name), "utf8"))
  const { datasources } = (await read("provisioning/datasources/prometheus.yml")) as {
    datasources: { jsonData: { timeInterval: string } }[]
  }
  const { global } = (await read("../prometheus/prometheus.yml")) as { global: { scrape_interval: string } }
  assert.deepEqual(
    datasources.map(({ jsonData }) => jsonData.timeInterval),
    [global.scrape_interval],
  )
})

function cellsOf({ gridPos: { x, y, w, h } }: Panel): readonly string[] {
  return Array.from({ length: w * h }, (_, index) => `${x + (index % w)},${y + Math.trunc(index / w)}`)
}
