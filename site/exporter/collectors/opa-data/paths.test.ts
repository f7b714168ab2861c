import assert from "node:assert/strict"
import { test } from "node:test"
import { Wrong } from "#core/config/settings.ts"
import { countedPaths, dataPath, urlPath } from "./paths.ts"

const table: readonly (readonly [text: string, expected: readonly [name: string, ...segments: string[]] | string])[] = [
  ["kubernetes/namespaces", ["kubernetes/namespaces", "kubernetes", "namespaces"]],
  [" /kubernetes/services/ ", ["kubernetes/services", "kubernetes", "services"]],
  ["one", ["one", "one"]],
  ["a%2Fb/c%2Cd%25", ["a%2Fb/c%2Cd%25", "a/b", "c,d%"]],
  ['"]/] } or data[_', ['"]/] } or data[_', '"]', "] } or data[_"]],
  ["größe/🦆", ["größe/🦆", "größe", "🦆"]],
  ["a/..", "must not have . or .. between slashes"],
  ["%2e/a", "must not have . or .. between slashes"],
  ["", "must be a path such as kubernetes/services"],
  ["//", "must be a path such as kubernetes/services"],
  ["a//b", "must not have two slashes side by side"],
  ["a/%zz", "must have two hexadecimal digits after %"],
]
for (const [text, expected] of table) {
  test(`${JSON.stringify(text)} is ${typeof expected === "string" ? "refused" : "a path"}`, () => {
    const path = dataPath(text)
    const shown = path instanceof Wrong ? path.reason : [path.name, ...path.segments]
    assert.deepEqual(shown, expected)
  })
}

const pathOf = (text: string) => {
  const path = dataPath(text)
  if (path instanceof Wrong) throw new Error(path.reason)
  return path
}

test("each path is counted once, also one that is given twice or in both lists", () => {
  const counted = countedPaths([pathOf("a"), pathOf("b"), pathOf("a")], [pathOf("c"), pathOf("b")])
  assert.deepEqual(
    counted.map(({ name, cluster, namespaced }) => [name, cluster, namespaced]),
    [
      ["a", true, false],
      ["b", true, true],
      ["c", false, true],
    ],
  )
})

test("in a URL every segment stays one, whatever is in it", () => {
  assert.equal(urlPath(["a/b", "c?d#e", "ü", "...", "x"]), "/a%2Fb/c%3Fd%23e/%C3%BC/.../x")
})
