import assert from "node:assert/strict"
import { test } from "node:test"
import { didYouMean, meant, nearest } from "./nearest.ts"

const FLAGS = ["--policy", "--token-file", "--web.listen-address", "--admin.listen-address", "--log.level"]
const cases: readonly (readonly [typed: string, meant: readonly string[]])[] = [
  ["--polciy", ["--policy"]],
  ["--plicy", ["--policy"]],
  ["--token", ["--token-file"]],
  ["--listen-address", ["--web.listen-address", "--admin.listen-address"]],
  ["--web-listen-address", ["--web.listen-address"]],
  ["--level", ["--log.level"]],
  ["--nope", []],
  ["--", []],
  ["-x", []],
  ["", []],
  ["x".repeat(100_000), []],
]
for (const [typed, expected] of cases) {
  test(`${typed.slice(0, 30)} may mean ${expected.join(", ") || "nothing"}`, () =>
    assert.deepEqual(meant(typed, FLAGS), expected))
}

test("the nearest of several names is the one with the fewest changes", () => {
  assert.equal(nearest("proxi", ["portal", "proxy"], 2), "proxy")
  assert.equal(nearest("protal", ["portal", "proxy"], 1), "portal")
  assert.equal(nearest("protal", ["portal", "proxy"], 0), undefined)
})

test("of many names that hold what was typed, the first three are meant", () => {
  const names = ["ca", "cert", "key", "token"].map((name) => `--prometheus.${name}-file`)
  assert.deepEqual(meant("--prometheus", names), names.slice(0, 3))
})

test("a message ends with what may be meant", () => {
  assert.deepEqual([[], ["--a"], ["--a", "--b"]].map(didYouMean), [
    "",
    " (Did you mean --a?)",
    " (Did you mean --a or --b?)",
  ])
})
