import assert from "node:assert/strict"
import { test } from "node:test"
import { type Dashboard, type Panel, readDashboard } from "./dashboard.ts"

/** Tests what every dashboard has to hold to. The dashboard, and its panels without rows. */
export async function checkDashboard(
  file: string,
): Promise<{ readonly dashboard: Dashboard; readonly drawn: readonly Panel[] }> {
  const dashboard = await readDashboard(file)
  const { panels } = dashboard
  const drawn = panels.filter(({ type }) => type !== "row")

  test("every panel has an id and a title of its own", () => {
    for (const key of ["id", "title"] as const) {
      const values = drawn.map((panel) => `${panel[key]}${key === "title" ? panel.type : ""}`)
      assert.deepEqual(values, [...new Set(values)])
    }
  })

  test("every panel describes in a sentence what it shows, has a unit and a query", () => {
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

  test("every query uses the data source that is chosen at the top", () => {
    const sources = drawn.flatMap(({ datasource, targets = [] }) => [
      datasource,
      ...targets.map((one) => one.datasource),
    ])
    for (const source of sources) assert.deepEqual(source, { type: "prometheus", uid: "${datasource}" })
    assert.equal(dashboard.templating.list[0]?.type, "datasource")
  })

  test("every variable that is used is defined, and every defined one is used", () => {
    // "$1" is a group of label_replace
    const text = JSON.stringify({ ...dashboard, templating: dashboard.templating.list.map(({ query }) => query) })
    const used = [...text.matchAll(/\$\{?([a-z_]\w*)/gi)]
      .map(([, name = ""]) => name)
      .filter((name) => !name.startsWith("__"))
    const defined = dashboard.templating.list.map(({ name }) => name)
    assert.deepEqual([...new Set(used)].toSorted(), defined.toSorted())
  })
  return { dashboard, drawn }
}

function cellsOf({ gridPos: { x, y, w, h } }: Panel): readonly string[] {
  return Array.from({ length: w * h }, (_, index) => `${x + (index % w)},${y + Math.trunc(index / w)}`)
}
