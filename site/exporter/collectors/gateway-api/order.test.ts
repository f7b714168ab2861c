import assert from "node:assert/strict"
import { readdirSync, readFileSync } from "node:fs"
import { test } from "node:test"
import { parseAllDocuments } from "yaml"
import { entries, type Json } from "./fields.ts"
import { KINDS } from "./kinds/all.ts"
import { type Rendered, renderer } from "./render.ts"

const folder = new URL("testdata/objects/", import.meta.url)

for (const file of readdirSync(folder)) {
  test(`renders ${file} to the same text in whatever order its lists stand`, () => {
    for (const document of parseAllDocuments(readFileSync(new URL(file, folder), "utf8"))) {
      const object = document.toJS() as Json
      const rendered = render(object)
      if (rendered.duplicates > 0) continue // of these the first one counts
      assert.deepEqual(render(reversed(object)), rendered)
    }
  })
}

function reversed(value: Json): Json {
  if (Array.isArray(value)) return value.map(reversed).toReversed()
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(
    entries(value)
      .map(([key, content]) => [key, reversed(content)] as const)
      .toReversed(),
  )
}

function render(object: Json): Rendered {
  const { apiVersion, kind: name } = object as { readonly apiVersion: string; readonly kind: string }
  const [group = "", version = ""] = apiVersion.split("/")
  const kind = KINDS.find((each) => each.kind === name)
  assert(kind !== undefined)
  return renderer({ kind, group, version, families: kind.families }, { labelAllowed: () => true })(object)
}
