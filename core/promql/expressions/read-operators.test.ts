import assert from "node:assert/strict"
import { test } from "node:test"
import { dialectOf } from "./dialects.ts"
import type { Expression } from "./expression.ts"
import { expressionOf, NEWEST, problemsOf } from "./testing.ts"

const OPERANDS: readonly (readonly [string, ...string[]])[] = [
  ["1 + up"],
  [
    "up[5m] + 1",
    "up[5m] | an operand of + must be a scalar or an instant vector, not a range vector; apply a function over time such as rate() to it",
  ],
  [
    '"a" == "b"',
    '"a" | an operand of == must be a scalar or an instant vector, not a string',
    '"b" | an operand of == must be a scalar or an instant vector, not a string',
  ],
  ['-"x"', '"x" | what - is applied to must be a scalar or an instant vector, not a string'],
  [
    "-up[5m]",
    "up[5m] | what - is applied to must be a scalar or an instant vector, not a range vector; apply a function over time such as rate() to it",
  ],
  ["+-up"],
  ["1 == bool 1"],
  ["1 == 1", "1 == 1 | a comparison of two scalars needs bool: write == bool"],
  ["(1) >= time()", "(1) >= time() | a comparison of two scalars needs bool: write >= bool"],
  ["up > bool 1"],
  ["up + bool 1", "up + bool 1 | bool stands after comparisons only, not after +; remove it"],
  ["up and bool up", "up and bool up | bool stands after comparisons only, not after and; remove it"],
  ["up and 1", "up and 1 | and needs instant vectors on both sides; write vector() around a scalar"],
  ["1 OR 2", "1 OR 2 | or needs instant vectors on both sides; write vector() around a scalar"],
  ["up unless vector(1)"],
  ["up atan2 up"],
  ["1 </ up"],
]

const MATCHING: readonly (readonly [string, ...string[]])[] = [
  ["a + on (x) b"],
  ["a * on (x) group_left b"],
  ["a * on (x) group_left (y) b"],
  [
    "a * on (x, y) group_left (z, y) b",
    "a * on (x, y) group_left (z, y) b | y stands in both on and group_left; remove it from one of them",
  ],
  ["a * ignoring (x) group_right (x) b"],
  ["1 + on (x) 2", "1 + on (x) 2 | on needs instant vectors on both sides; remove it"],
  ["a + ignoring (x) 2", "a + ignoring (x) 2 | ignoring needs instant vectors on both sides; remove it"],
  ["1 + on () 2"],
  ["a and on (x) b"],
  ["a and on (x) group_left b", "a and on (x) group_left b | group_left cannot stand after and; remove it"],
  [
    "a or ignoring (x) group_right (y) b",
    "a or ignoring (x) group_right (y) b | group_right cannot stand after or; remove it",
  ],
  ["a + fill (0) b"],
  ["a + on (x) fill_left (0) fill_right (-1) b"],
  ["a + fill (0) 1", "a + fill (0) 1 | fill needs instant vectors on both sides; remove it"],
  ["a or fill (0) b", "a or fill (0) b | fill cannot stand after or; remove it"],
]

test("checks operands by their types", () => {
  for (const [text, ...problems] of OPERANDS) assert.deepEqual(problemsOf(text), problems, text)
})

test("checks how series are matched", () => {
  for (const [text, ...problems] of MATCHING) assert.deepEqual(problemsOf(text), problems, text)
})

test("names the flag of fill, and servers without </", () => {
  assert.deepEqual(
    [
      problemsOf("a + fill (0) b", dialectOf("prometheus-3.14")),
      problemsOf("a + fill (0) b", dialectOf("prometheus-3.5")),
      problemsOf("a </ b", dialectOf("cortex-1.21")),
    ],
    [
      ["a + fill (0) b | fill needs --enable-feature=promql-binop-fill-modifiers in Prometheus 3.14"],
      ["a + fill (0) b | Prometheus 3.5 does not know fill"],
      ["a </ b | Cortex 1.21 does not know </"],
    ],
  )
})

/** In parentheses, where Prometheus sees them. */
function shape(text: string): string {
  const show = (expression: Expression): string => {
    if (expression.kind === "parenthesis") return `[${show(expression.of)}]`
    if (expression.kind === "unary") return `${expression.operator}${show(expression.of)}`
    if (expression.kind !== "binary") return text.slice(expression.from, expression.to)
    return `(${show(expression.left)} ${expression.operator} ${show(expression.right)})`
  }
  return show(expressionOf(text, NEWEST))
}

test("groups operators as Prometheus does", () => {
  const cases = {
    "a - b - c": "((a - b) - c)",
    "a ^ b ^ c": "(a ^ (b ^ c))",
    "a or b and c unless d": "(a or ((b and c) unless d))",
    "a + b * c ^ d": "(a + (b * (c ^ d)))",
    "a == b + c == d": "((a == (b + c)) == d)",
    "a atan2 b * c": "((a atan2 b) * c)",
    "-a ^ b": "-(a ^ b)",
    "-a * b": "(-a * b)",
    "-1 ^ 2": "-(1 ^ 2)",
    "- 1 ^ 2 ^ 3": "-(1 ^ (2 ^ 3))",
    "2 * -1 ^ 2": "(2 * -(1 ^ 2))",
    "2 ^ -1 ^ 2": "(2 ^ -(1 ^ 2))",
    "(-1) ^ 2": "([-1] ^ 2)",
    "-1 * 2": "(-1 * 2)",
    "1 - -1": "(1 - -1)",
    "1 -1": "(1 - 1)",
    "-(1)": "-[1]",
    "a + b offset 5m * c": "(a + (b offset 5m * c))",
    "a or -b @ 5 offset 1m ^ c": "(a or -(b @ 5 offset 1m ^ c))",
    "-a anchored and b": "(-a anchored and b)",
    "a + min_over_time(b[5m:] offset 1m @ 5) == 1": "((a + min_over_time(b[5m:] offset 1m @ 5)) == 1)",
  }
  assert.deepEqual(Object.fromEntries(Object.keys(cases).map((text) => [text, shape(text)])), cases)
})

test("reads a number with its signs as one", () => {
  const values = ["-1", "+1", "- 1", "- # one\n 1", "--1", "-+-1", "- -Inf", "-1993ms"].map((text) => {
    const { from, to, ...rest } = expressionOf(text)
    return { ...rest, text: text.slice(from, to) }
  })
  const number = { kind: "number", type: "scalar" }
  assert.deepEqual(values, [
    { ...number, value: -1, text: "-1" },
    { ...number, value: 1, text: "+1" },
    { ...number, value: -1, text: "- 1" },
    { ...number, value: -1, text: "- # one\n 1" },
    { ...number, value: 1, text: "--1" },
    { ...number, value: 1, text: "-+-1" },
    { ...number, value: Infinity, text: "- -Inf" },
    { ...number, value: -1.9929999999999999, text: "-1993ms" }, // as Prometheus computes it
  ])
})

test("reads matching as a whole", () => {
  const of = (text: string): unknown => {
    const expression = expressionOf(text)
    return expression.kind === "binary" ? [expression.returnsBool, expression.matching] : expression
  }
  const none = { labels: [], group: undefined, include: [], fill: undefined }
  assert.deepEqual(
    [
      of("a == b"),
      of("a == bool b"),
      of("a == on() b"),
      of('a == bool ignoring(x, "y") GROUP_LEFT b'),
      of("a + on(x) group_right(y, z) b"),
      of("a + fill(1m) b"),
      of("a + fill_right(-Inf) b"),
    ],
    [
      [false, undefined],
      [true, undefined],
      [false, { ...none, mode: "on" }],
      [true, { ...none, mode: "ignoring", labels: ["x", "y"], group: "left" }],
      [false, { ...none, mode: "on", labels: ["x"], group: "right", include: ["y", "z"] }],
      [false, { ...none, mode: "ignoring", fill: { left: 60, right: 60 } }],
      [false, { ...none, mode: "ignoring", fill: { left: undefined, right: -Infinity } }],
    ],
  )
})
