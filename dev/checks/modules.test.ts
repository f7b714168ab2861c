import assert from "node:assert/strict"
import test from "node:test"
import { circles, componentOf, importsOf, type ModuleGraph, roomsIn } from "./modules.ts"

const graph = (edges: Record<string, readonly string[]>): ModuleGraph => new Map(Object.entries(edges))

test("finds imports of values, of types and of modules that are loaded later", () => {
  const text = `
import { a } from "./a.ts"
import type { B } from "../b.ts"
import "#core/log/c.ts"
import { readFile } from "node:fs/promises"
export { d } from "./d.ts"
const later = await import("./e.ts")
const page = new URL("f.html", import.meta.url)
`
  assert.deepEqual(importsOf("site/proxy/x.ts", text), [
    "site/proxy/a.ts",
    "site/b.ts",
    "core/log/c.ts",
    "site/proxy/d.ts",
    "site/proxy/e.ts",
  ])
})

test("finds every circle, also one of a file with itself and two that share no file", () => {
  const found = circles(
    graph({ a: ["b"], b: ["c", "d"], c: ["a"], d: [], e: ["f"], f: ["e", "a"], g: ["g"], h: ["a", "e"] }),
  )
  assert.deepEqual(
    found.toSorted((one, other) => String(one).localeCompare(String(other))),
    [["a", "b", "c"], ["e", "f"], ["g"]],
  )
})

test("finds no circle where a file is imported by two ways", () => {
  assert.deepEqual(circles(graph({ a: ["b", "c"], b: ["d"], c: ["d"], d: [] })), [])
})

test("a file belongs to the nearest folder with a main.ts", () => {
  const files = graph({ "portal/main.ts": [], "portal/tenancy/rules/main.ts": [], "site/exporter/exporter.ts": [] })
  assert.equal(componentOf("portal/federation/load.ts", files), "portal")
  assert.equal(componentOf("portal/tenancy/rules/a/b.ts", files), "portal/tenancy/rules")
  assert.equal(componentOf("site/exporter/exporter.ts", files), undefined)
})

test("reads the rooms from their table", () => {
  const table =
    "| room | for |\n|---|---|\n| `core/log/` | lines |\n| `core/response-cache/` | a, b |\n\n| `site/` | no |\n"
  assert.deepEqual(roomsIn(table), [
    { name: "log", purpose: "lines" },
    { name: "response-cache", purpose: "a, b" },
  ])
})
