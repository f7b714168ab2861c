import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { Wrong } from "#core/config/settings.ts"
import { parseNamespaceTemplate } from "./namespace-template.ts"

const resource = { namespace: "team-a", name: "disk.full", uid: "1b2c-3d" }
for (const [template, expected] of [
  ["{namespace}", "team-a"],
  ["eu-1/{namespace}", "eu-1/team-a"],
  ["{namespace}/{name}", "team-a/disk.full"],
  ["{namespace}-{name}", "team%2Da-disk.full"],
  ["{namespace}.{name}-{uid}", "team%2Da.disk%2Efull-1b2c%2D3d"],
] as const)
  test(`${template} is ${expected}`, () => {
    const parsed = parseNamespaceTemplate(template)
    assert.equal(parsed instanceof Wrong ? parsed.reason : parsed(resource), expected)
  })

for (const [template, reason] of [
  ["{namespace}{name}", "must separate placeholders by a character that is no letter, digit or %, such as /"],
  ["{namespace}x{name}", "must separate placeholders by a character that is no letter, digit or %, such as /"],
  ["{tenant}", "must have no other braces than {namespace}, {name} and {uid}"],
  ["{namespace", "must have no other braces than {namespace}, {name} and {uid}"],
  ["rules", "must contain {namespace}, {name} or {uid}"],
  ["a b/{name}", "must consist of printable ASCII characters without blanks"],
] as const)
  test(`refuses ${template}`, () => assert.deepEqual(parseNamespaceTemplate(template), new Wrong(reason)))

test("no two resources share a namespace that is made of their namespace and name", () => {
  const names = fc.string({ unit: fc.constantFrom("a", "-", ".", "2", "D"), minLength: 1, maxLength: 4 })
  const separators = fc.string({ unit: fc.constantFrom("a", "-", ".", "/", "2", "D"), minLength: 1, maxLength: 3 })
  fc.assert(
    fc.property(names, names, names, names, separators, (a, b, c, d, separator) => {
      const at = parseNamespaceTemplate(`{namespace}${separator}{name}`)
      if (at instanceof Wrong || (a === c && b === d)) return
      assert.notEqual(at({ namespace: a, name: b, uid: "" }), at({ namespace: c, name: d, uid: "" }))
    }),
    { numRuns: 2000 },
  )
})
