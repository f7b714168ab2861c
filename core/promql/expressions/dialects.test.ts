import assert from "node:assert/strict"
import { test } from "node:test"
import { dialectOf } from "./dialects.ts"

const NAMES = ["prometheus-2.53", "prometheus-3.5", "prometheus-3.14", "cortex-1.21", "mimir"] as const

test("gives every dialect its functions and features, and the flags of the others", () => {
  const dialects = NAMES.map((name) => {
    const { functions, experimentalFunctions, features, switches } = dialectOf(name)
    return [
      name,
      functions.size,
      experimentalFunctions.size,
      [...features].toSorted().join(" "),
      Object.fromEntries(switches),
    ]
  })
  const flags = (...features: readonly string[]): object =>
    Object.fromEntries(features.map((feature) => [feature, `--enable-feature=${feature}`]))
  const newest =
    "duration-as-number duration-functions duration-step number-separators promql-duration-expr trim-operators utf8-names"
  assert.deepEqual(dialects, [
    ["prometheus-2.53", 85, 3, "", flags("promql-experimental-functions")],
    [
      "prometheus-3.5",
      84,
      10,
      "duration-as-number number-separators utf8-names",
      flags("promql-experimental-functions", "promql-duration-expr"),
    ],
    [
      "prometheus-3.14",
      85,
      19,
      newest,
      flags("promql-experimental-functions", "promql-binop-fill-modifiers", "promql-extended-range-selectors"),
    ],
    [
      "cortex-1.21",
      88,
      12,
      "duration-as-number duration-step number-separators utf8-names",
      { "promql-experimental-functions": "-querier.enable-promql-experimental-functions" },
    ],
    [
      "mimir",
      86,
      19,
      newest,
      {
        "promql-experimental-functions": "enabled_promql_experimental_functions of the tenant's limits",
        "promql-extended-range-selectors": "enabled_promql_extended_range_selectors of the tenant's limits",
      },
    ],
  ])
})

test("knows experimental functions where their flag is on", () => {
  for (const name of NAMES) {
    const off = dialectOf(name)
    const on = dialectOf(name, ["promql-experimental-functions"])
    assert.deepEqual([...on.functions].toSorted(), [...off.functions, ...off.experimentalFunctions].toSorted())
    assert.deepEqual([...on.experimentalFunctions], [])
  }
})

test("ignores flags that a server does not have, as the server does", () => {
  const flags = ["promql-duration-expr", "promql-binop-fill-modifiers", "promql-extended-range-selectors"] as const
  const added = NAMES.map((name) => {
    const off = dialectOf(name).features
    return [name, [...dialectOf(name, [...flags, "utf8-names"]).features].filter((feature) => !off.has(feature))]
  })
  assert.deepEqual(added, [
    ["prometheus-2.53", []],
    ["prometheus-3.5", ["promql-duration-expr"]],
    ["prometheus-3.14", ["promql-binop-fill-modifiers", "promql-extended-range-selectors"]],
    ["cortex-1.21", []],
    ["mimir", ["promql-extended-range-selectors"]],
  ])
})
