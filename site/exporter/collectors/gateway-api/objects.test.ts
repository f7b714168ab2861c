import assert from "node:assert/strict"
import { readdirSync, readFileSync } from "node:fs"
import { test } from "node:test"
import { parse } from "yaml"
import { samplesOf } from "./exposition.testing.ts"
import { KINDS } from "./kinds/all.ts"
import { renderer } from "./render.ts"

interface Written {
  readonly apiVersion: string
  readonly kind: string
}

const folder = new URL("testdata/objects/", import.meta.url)
const CUSTOM_RESOURCE = /^customresource_/
/** What the files with the objects list. */
const LISTED = /_(?:status|(?:listeners|parents|ancestors)_conditions|observed_generation_lag)\{/

for (const file of readdirSync(folder).filter((name) => !name.startsWith("12-"))) {
  test(`renders the conditions and lags of ${file}`, () => {
    const text = readFileSync(new URL(file, folder), "utf8")
    const expected = [...text.matchAll(/^#= (gatewayapi.*)$/gm)].map(([, line = ""]) => line).join("\n")
    const rendered = samplesOf(render(parse(text) as Written), CUSTOM_RESOURCE).filter((line) => LISTED.test(line))
    assert.deepEqual(rendered.toSorted(), samplesOf(expected).toSorted())
  })
}

function render(object: Written): string {
  const [group = "", version = ""] = object.apiVersion.split("/")
  const kind = KINDS.find((each) => each.kind === object.kind)
  assert(kind !== undefined)
  return renderer(
    { kind, group, version, families: kind.families },
    { labelAllowed: () => true },
  )(object).texts.join("")
}
