import assert from "node:assert/strict"
import { readdirSync, readFileSync } from "node:fs"
import { test } from "node:test"
import { parse } from "yaml"
import { samplesOf } from "./exposition.testing.ts"
import { CUSTOM_RESOURCE, renderAs, samplesAs } from "./render.testing.ts"
import { strictSamples } from "./strict.testing.ts"

interface Written {
  readonly kind: string
}

const folder = new URL("testdata/objects/", import.meta.url)
/** What the files with the objects list. */
const LISTED = /_(?:status|(?:listeners|parents|ancestors)_conditions|observed_generation_lag)\{/

/** What is expected of an object, and what is rendered of it. */
function samplesIn(file: string) {
  const text = readFileSync(new URL(file, folder), "utf8")
  const expected = [...text.matchAll(/^#= (gatewayapi.*)$/gm)].map(([, line = ""]) => line).join("\n")
  const object = parse(text) as Written
  const rendered = samplesOf(renderAs(object.kind, object).texts.join(""), CUSTOM_RESOURCE)
  return { expected: samplesOf(expected).toSorted(), rendered: rendered.filter((line) => LISTED.test(line)).toSorted() }
}

for (const file of readdirSync(folder).filter((name) => !name.startsWith("12-"))) {
  test(`renders the conditions and lags of ${file}`, () => {
    const { expected, rendered } = samplesIn(file)
    assert.deepEqual(rendered, expected)
  })
}

test("renders the 97 conditions and lags of 12-httproute-32-parents.yaml, of which it lists a part", () => {
  const { expected, rendered } = samplesIn("12-httproute-32-parents.yaml")
  assert.equal(rendered.length, 97)
  assert.deepEqual(
    expected.filter((line) => !rendered.includes(line)),
    [],
  )
})

test("of 16 host names, one of them twice, there are 15", () => {
  const text = readFileSync(new URL("30-httproute-cilium-gamma-and-limits.yaml", folder), "utf8")
  assert.equal(samplesAs("HTTPRoute", parse(text), /_hostname_info$/).length, 15)
  assert.equal(renderAs("HTTPRoute", parse(text)).duplicates, 1)
})

const conditions = Array.from({ length: 8 }, (_, index) => ({
  type: `example.org/${"t".repeat(300)}${index}`,
  status: "True",
  reason: "r".repeat(1024),
  message: "m".repeat(32_768),
  observedGeneration: 1,
}))

test("renders the largest objects that the CRDs allow: 32 parents with 8 conditions each, 64 listeners with 8 each", () => {
  const metadata = { name: "n", namespace: "ns", generation: 2, annotations: { note: "x".repeat(60_000) } }
  const parents = Array.from({ length: 32 }, (_, index) => ({
    controllerName: "example.org/controller",
    parentRef: { name: "a".repeat(253), sectionName: `s${index}` },
    conditions,
  }))
  const listeners = Array.from({ length: 64 }, (_, index) => ({ name: `l${index}`, attachedRoutes: 1, conditions }))
  const counts = (kind: string, object: object) => {
    const { texts, duplicates } = renderAs(kind, object)
    const counted = new Map<string, number>()
    for (const { name } of strictSamples(
      texts
        .map((text) => (text === "" ? "" : `# HELP ${nameIn(text)} x\n# TYPE ${nameIn(text)} gauge\n${text}`))
        .join(""),
    ))
      counted.set(name, (counted.get(name) ?? 0) + 1)
    assert.equal(duplicates, 0)
    return Object.fromEntries(counted)
  }
  assert.deepEqual(counts("HTTPRoute", { metadata, status: { parents } }), {
    gatewayapi_httproute_deleted: 1,
    gatewayapi_httproute_status_parent_info: 32,
    gatewayapi_httproute_status_parents_conditions: 256,
    gatewayapi_httproute_status_parents_condition_reason: 256,
    gatewayapi_httproute_status_parents_observed_generation_lag: 32,
    gatewayapi_httproute_status_parent_orphaned: 32,
  })
  assert.deepEqual(counts("Gateway", { metadata, status: { listeners, conditions } }), {
    gatewayapi_gateway_deleted: 1,
    gatewayapi_gateway_status_listener_attached_routes: 64,
    gatewayapi_gateway_status: 8,
    gatewayapi_gateway_status_condition_reason: 8,
    gatewayapi_gateway_status_observed_generation_lag: 8,
    gatewayapi_gateway_status_listeners_conditions: 512,
    gatewayapi_gateway_status_listeners_condition_reason: 512,
    gatewayapi_gateway_status_listeners_observed_generation_lag: 512,
  })
})

function nameIn(text: string): string {
  return text.replace(/\{.*/s, "")
}
