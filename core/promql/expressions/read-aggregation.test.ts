import assert from "node:assert/strict"
import { test } from "node:test"
import { dialectOf } from "./dialects.ts"
import { expressionOf, problemsOf } from "./testing.ts"

const AGGREGATIONS: readonly (readonly [string, ...string[]])[] = [
  ["sum(up)"],
  ["SUM BY (a) (up)"],
  ["sum(1)", "1 | what sum aggregates must be an instant vector, not a scalar; write vector() around it"],
  [
    "sum(up[5m])",
    "up[5m] | what sum aggregates must be an instant vector, not a range vector; apply a function over time such as rate() to it",
  ],
  ["avg('a')", "'a' | what avg aggregates must be an instant vector, not a string"],
  ["sum()", "sum() | sum takes 1 argument, not 0"],
  ["sum(1, up)", "sum(1, up) | sum takes 1 argument, not 2"],
  ["topk(5, up)"],
  ["topk(scalar(up), up)"],
  ["topk(up)", "topk(up) | topk takes 2 arguments, a scalar and an instant vector, not 1"],
  [
    "topk(up, up)",
    "up | the parameter of topk must be a scalar, not an instant vector; write a number, or scalar() around it",
  ],
  ["topk(5, 6)", "6 | what topk aggregates must be an instant vector, not a scalar; write vector() around it"],
  ['quantile("0.9", up)', '"0.9" | the parameter of quantile must be a scalar, not a string'],
  ['count_values("x", up)'],
  ["count_values(1, up)", "1 | the parameter of count_values must be a string, not a scalar; put it in quotes"],
  ["limitk(1, up) or limit_ratio(0.1, up)"],
  ["sum by () (up)"],
  ["sum by (a, a,) (up)"],
  ['sum by ("a.b", on, by, offset) (up)'],
  ['sum by ("") (up)', '"" | a label has a name; write it or remove the quotes'],
  ["sum by (a, Without) (up)", 'Without | a label that is called without needs quotes: "without"'],
]

test("checks what is aggregated, parameters and labels", () => {
  for (const [text, ...problems] of AGGREGATIONS) assert.deepEqual(problemsOf(text), problems, text)
})

test("knows limitk where its flag is set, and labels in quotes since Prometheus 3", () => {
  assert.deepEqual(
    [
      problemsOf("limitk(1, up)", dialectOf("prometheus-2.53")),
      problemsOf("limitk(1, up)", dialectOf("prometheus-3.5")),
      problemsOf("limitk(1, up)", dialectOf("prometheus-3.5", ["promql-experimental-functions"])),
      problemsOf('sum(up) by ("a")', dialectOf("prometheus-2.53")),
      problemsOf('sum(up) by ("a")', dialectOf("prometheus-3.5")),
    ],
    [
      ["limitk | limitk() is not a function of Prometheus 2.53"],
      ["limitk | limitk() is experimental and needs --enable-feature=promql-experimental-functions in Prometheus 3.5"],
      [],
      ['"a" | Prometheus 2.53 does not know a label in quotes'],
      [],
    ],
  )
})

test("reads an aggregation as a whole", () => {
  const up = {
    kind: "selector",
    type: "vector",
    matchers: [{ label: "__name__", op: "=", value: "up" }],
    range: undefined,
    modifier: undefined,
    offset: undefined,
    at: undefined,
  }
  assert.deepEqual(expressionOf("topk without(b, a) (5, up)"), {
    kind: "aggregation",
    from: 0,
    to: 26,
    type: "vector",
    operator: "topk",
    parameter: { kind: "number", from: 20, to: 21, type: "scalar", value: 5 },
    of: { ...up, from: 23, to: 25 },
    grouping: { mode: "without", labels: ["b", "a"] },
  })
  assert.deepEqual(expressionOf("Sum(up)"), {
    kind: "aggregation",
    from: 0,
    to: 7,
    type: "vector",
    operator: "sum",
    parameter: undefined,
    of: { ...up, from: 4, to: 6 },
    grouping: undefined,
  })
})
