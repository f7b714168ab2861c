import assert from "node:assert/strict"
import { execFile } from "node:child_process"
import { join } from "node:path"
import { test, type TestContext } from "node:test"
import { seeded } from "../../../dev/fuzz/random.ts"
import { mutated, randomExpression } from "../../../dev/fuzz/random-expression.ts"
import { need } from "../../../dev/testing/component.ts"
import { temporaryFolder } from "../../../dev/testing/folder.ts"
import { findPrometheus, startPrometheus } from "../../../dev/testing/prometheus.ts"
import { seedOf } from "../../../dev/testing/seed.ts"
import type { Dialect } from "./dialect.ts"
import { dialectOf } from "./dialects.ts"
import { TABLE } from "./agreement.testing.ts"
import { readExpression } from "./read-expression.ts"
import { expressionOf } from "./testing.ts"

const COUNT = 4000
const EXPERIMENTAL = "promql-experimental-functions"

/** Why we do not know what promtool knows; at most one expression in a hundred. */
const UNCHECKED = [
  "it holds a string that is not UTF-8", // Prometheus accepts it, but for labels and expressions
  "an operator stands after an offset with parentheses or two signs", // `a offset --5m + 1`: of durations, or not
]

function randomExpressions(t: TestContext): readonly string[] {
  const random = seeded(seedOf(t))
  const drawn = Array.from({ length: COUNT }, () => {
    const text = randomExpression(random, 1 + random.below(5))
    return random.chance(0.6) ? text : mutated(random, text)
  })
  return [...TABLE, ...drawn].filter((text) => text.trim() !== "" && text.isWellFormed())
}

/** Those that promtool refuses, with its words, of one file with a group for each. */
async function refusedBy(folder: string, expressions: readonly string[], flags: readonly string[], t: TestContext) {
  const groups = expressions.map((expr, index) => ({ name: String(index), rules: [{ record: "a", expr }] }))
  const file = await temporaryFolder(t).write("rules.yml", JSON.stringify({ groups }))
  const output = await new Promise<string>((resolve) => {
    const options = { maxBuffer: 2 ** 28 }
    execFile(join(folder, "promtool"), ["check", "rules", "--lint=none", ...flags, file], options, (_, out, err) =>
      resolve(out + err),
    )
  })
  const refused = new Map<string, string>()
  for (const [, index, words = ""] of output.matchAll(/group "(\d+)", rule 1, "a": (.*)/g)) {
    refused.set(expressions[Number(index)] ?? "", words)
  }
  assert.ok(refused.size > 0, output.slice(0, 1000))
  return refused
}

function compare(expressions: readonly string[], refused: ReadonlyMap<string, string>, dialect: Dialect): void {
  const differences: object[] = []
  for (const expression of expressions) {
    const ours = readExpression(expression, dialect)
    const theirs = refused.get(expression)
    if (ours.verdict === "unchecked") {
      if (!UNCHECKED.includes(ours.reason)) differences.push({ expression, ours, theirs })
    } else if ((ours.verdict === "valid") !== (theirs === undefined)) {
      differences.push({ expression, ours: ours.verdict === "valid" ? "valid" : ours.problems[0], theirs })
    }
  }
  assert.deepEqual(differences, [], `${dialect.name}: ${differences.length} of ${expressions.length}`)
}

/** That what is drawn shows something: of so many that the shares are nearly the same each time. */
function assertShares(drawn: readonly string[], dialect: Dialect): void {
  const count = { valid: 0, invalid: 0, unchecked: 0 }
  for (const expression of drawn) count[readExpression(expression, dialect).verdict]++
  assert.ok(count.unchecked <= drawn.length / 100, JSON.stringify(count))
  assert.ok(Math.min(count.valid, count.invalid) > drawn.length / 5, JSON.stringify(count))
}

for (const [version, flags, dialect] of [
  ["2.53", [], dialectOf("prometheus-2.53")],
  ["3.5", [], dialectOf("prometheus-3.5")],
  ["3.5", [`--enable-feature=${EXPERIMENTAL}`], dialectOf("prometheus-3.5", [EXPERIMENTAL])],
] as const) {
  test(`judges random expressions as promtool ${[version, ...flags].join(" ")} does`, async (t) => {
    const folder = need(t, findPrometheus(version))
    if (folder === undefined) return
    const expressions = randomExpressions(t)
    compare(expressions, await refusedBy(folder, expressions, flags, t), dialect)
    assertShares(expressions, dialect)
  })
}

// promtool of these versions has no such flag
for (const [version, feature, dialect] of [
  ["2.53", EXPERIMENTAL, dialectOf("prometheus-2.53", [EXPERIMENTAL])],
  ["3.5", "promql-duration-expr", dialectOf("prometheus-3.5", ["promql-duration-expr"])],
] as const) {
  test(`judges random expressions as Prometheus ${version} with ${feature} does`, async (t) => {
    const folder = need(t, findPrometheus(version))
    if (folder === undefined) return
    const configuration = await temporaryFolder(t).write("prometheus.yml", "global: {}\n")
    const prometheus = await startPrometheus(folder, configuration, [`--enable-feature=${feature}`])
    t.after(() => prometheus.stop())
    const drawn = randomExpressions(t)
    const expressions = drawn.slice(0, 1500)
    const refused = new Map<string, string>()
    for (const query of expressions) {
      const response = await fetch(`${prometheus.url}/api/v1/format_query`, {
        method: "POST",
        body: new URLSearchParams({ query }),
      })
      const { error } = (await response.json()) as { error?: string }
      if (error !== undefined) refused.set(query, error)
    }
    compare(expressions, refused, dialect)
    assertShares(drawn, dialect)
  })
}

test("reads numbers and durations with the values that Prometheus 3.5 computes with", async (t) => {
  const folder = need(t, findPrometheus("3.5"))
  if (folder === undefined) return
  const configuration = await temporaryFolder(t).write("prometheus.yml", "global: {}\n")
  const prometheus = await startPrometheus(folder, configuration)
  t.after(() => prometheus.stop())
  const random = seeded(seedOf(t))
  const parts = [
    "0",
    "1",
    "7",
    "8",
    "9",
    "x",
    "_",
    ".",
    "e",
    "-",
    "+",
    "0x",
    "f",
    "5m",
    "1h",
    "3ms",
    "30d",
    "1y",
  ] as const
  const numbers = ["1993ms", "-1993ms", "1h2m1s1ms", "292y999ms"]
  while (numbers.length < 400) {
    const text = Array.from({ length: 1 + random.below(5) }, () => random.pick(parts)).join("")
    const ours = readExpression(text, dialectOf("prometheus-3.5"))
    if (ours.verdict === "valid" && ours.expression.kind === "number") numbers.push(text)
  }
  for (const text of numbers) {
    const ours = expressionOf(text, dialectOf("prometheus-3.5"))
    const query = new URLSearchParams({ query: text }).toString()
    const response = await fetch(`${prometheus.url}/api/v1/query?${query}`)
    const { data } = (await response.json()) as { data: { result: [number, string] } }
    assert.equal(ours.kind === "number" && ours.value, Number(data.result[1]), text)
  }
})
