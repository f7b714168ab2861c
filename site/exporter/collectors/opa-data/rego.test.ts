import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { countQuery, quote } from "./rego.ts"
import { countedPaths } from "./paths.ts"

test("a quoted segment is one literal of printable ASCII, and means the segment", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.oneof(fc.constantFrom('"', "\\", "`", "\n", "{", "}", "]"), fc.string()) }),
      (text) => {
        const quoted = quote(text)
        assert.match(quoted, /^"(?:[\w /.:@-]|\\u[\da-f]{4})*"$/)
        assert.equal(JSON.parse(quoted), text)
      },
    ),
  )
})

const paths = countedPaths(
  [{ name: "kubernetes/namespaces", segments: ["kubernetes", "namespaces"] }],
  [{ name: "b", segments: ['"] } evil'] }],
)
const nothing = { counts: new Set<string>(), digests: new Set<string>(), versions: new Set<string>() }

test("the query has a line for each path", () => {
  assert.equal(
    countQuery(paths, undefined, nothing),
    `r := [
[[[count(d) | not is_string(d)], [], []] | d := data["kubernetes"]["namespaces"]],
[[[count(d) | not is_string(d)], [sum([count(m) | m := d[_]; not is_string(m)])], []] | d := data["\\u0022\\u005d \\u007d evil"]]
]`,
  )
})

test("what is withheld is not in the query", () => {
  assert.equal(
    countQuery(paths, "content", {
      counts: new Set(["b"]),
      digests: new Set(["kubernetes/namespaces"]),
      versions: new Set(),
    }),
    `r := [
[[[count(d) | not is_string(d)], [], []] | d := data["kubernetes"]["namespaces"]],
null
]`,
  )
})

test("of what has no versions, by a policy's types, the content is digested", () => {
  const withheld = { ...nothing, versions: new Set(["b"]) }
  const [namespaces, b] = [countQuery(paths, "resourceVersion", nothing), countQuery(paths, "content", nothing)].map(
    (query, index) => query.split("\n")[index + 1],
  )
  assert.equal(countQuery(paths, "resourceVersion", withheld), `r := [\n${namespaces}\n${b}\n]`)
})
