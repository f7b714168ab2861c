import assert from "node:assert/strict"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { test } from "node:test"
import { parse } from "yaml"
import { KINDS } from "./kinds/all.ts"

const ROOT = join(import.meta.dirname, "../../../..")
const page = await readFile(join(ROOT, "docs/gateway-api.md"), "utf8")

test("the page lists every kind with its groups and families", () => {
  const rows = KINDS.map(({ kind, groups, prefix, families }) => {
    const names = families.filter(({ reasons }) => reasons !== true).map(({ suffix }) => `\`${suffix}\``)
    return `| ${kind} | ${groups.join(", ")} | \`${prefix}_\` | ${names.join(", ")} |`
  })
  const table = ["| kind | group | prefix | families |", "|---|---|---|---|", ...rows].join("\n")
  assert.ok(page.includes(`\n${table}\n`), table)
})

test("the page says of every family what labels and value it has", () => {
  const described = new Set([...page.matchAll(/^\| `…_(\w+)` \|/gm)].map(([, suffix = ""]) => suffix))
  const exported = new Set(
    KINDS.flatMap(({ families }) =>
      families.map(({ suffix, reasons }) => (reasons === true ? "condition_reason" : suffix)),
    ),
  )
  assert.deepEqual([...described].toSorted(), [...exported].toSorted())
})

test("the page lists every alert with its severity and time", async () => {
  const text = await readFile(join(ROOT, "site/prometheus/rules/gateway-api.yml"), "utf8")
  const { groups } = parse(text) as {
    groups: { rules: { alert: string; for?: string; labels: { severity: string } }[] }[]
  }
  const rules = groups.flatMap((group) =>
    group.rules.map(({ alert, labels, for: time = "" }) => [alert, labels.severity, time]),
  )
  const listed = [...page.matchAll(/^\| `((?:GatewayApi|UnhealthyGateway|InsecureHTTP)\w*)` \| (\w+) \| (\w*) ?\|/gm)]
  assert.deepEqual(
    listed.map(([, ...cells]) => cells),
    rules,
  )
})
