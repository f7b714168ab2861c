import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import test from "node:test"
import { routingOf, show, tenants } from "./testing.ts"

const page = readFileSync(join(import.meta.dirname, "../../../../docs/tenancy.md"), "utf8")

/** Cells of the rows below the table's head that begins so. */
function tableOf(head: string): readonly (readonly string[])[] {
  const lines = page.slice(page.indexOf(`| ${head} |`)).split("\n")
  const end = lines.findIndex((line) => !line.startsWith("|"))
  return lines.slice(2, end).map((line) => line.split(" | ").map((cell) => cell.replace(/^\| | \|$/g, "")))
}

const columns = [
  routingOf([]),
  routingOf(["--allow-listed-tenants", "red"], tenants("red")),
  routingOf(["--allow-listed-tenants", "red", "--unknown-tenants", "refuse"], tenants("red")),
  routingOf(["--disable-full-replication"]),
]

/** As the page has it. */
function cellOf(text: string): string {
  if (text.endsWith("is not in the allow list")) return "400: not in the allow list"
  if (text.includes(" must consist of ")) return "400: no tenant id"
  return text.replace(" by default", "").replaceAll(" ", ", ")
}

test("docs/tenancy.md has a table of what tenants series belong to, and it is true", () => {
  const rows = tableOf("series | no allow list")
  assert.equal(rows.length, 5)
  for (const [series = "", ...cells] of rows) {
    for (const one of series.replaceAll("`", "").split(", ")) {
      const [, value] = /tenant_id="(.*)"/.exec(one) ?? []
      assert.deepEqual(
        columns.map((routing) => cellOf(show(routing.route([value]), routing))),
        cells.map((cell) => cell.replace(", once", "")),
        one,
      )
    }
  }
})

test("docs/tenancy.md shows what prefix and pattern make of values, and it is true", () => {
  const flags = [
    ["--tenant-prefix", "eu-"],
    ["--tenant-pattern", "team-(.+)"],
  ]
  assert.match(page, /`--tenant-prefix eu-` \| `red` \| `eu-red`/)
  const made = [[flags[0]], [flags[1]], flags].map((some) => {
    const routing = routingOf(some.flatMap((pair) => pair ?? []))
    return ["red", "team-red", "team-"].map((value) => show(routing.route([value]), routing))
  })
  assert.deepEqual(made, [
    ["eu-red 0", "eu-team-red 0", "eu-team- 0"],
    ["0 by default", "red 0", "0 by default"],
    ["0 by default", "eu-red 0", "0 by default"],
  ])
})
