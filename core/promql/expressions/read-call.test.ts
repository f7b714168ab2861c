import assert from "node:assert/strict"
import { test } from "node:test"
import { dialectOf } from "./dialects.ts"
import { SIGNATURES } from "./functions.ts"
import { readExpression } from "./read-expression.ts"
import { expressionOf, NEWEST, problemsOf } from "./testing.ts"

/** Expression, then its problems; none where it is valid. */
const TYPES: readonly (readonly [string, ...string[]])[] = [
  ["rate(up[5m])"],
  [
    "rate(up)",
    "up | the argument of rate() must be a range vector, not an instant vector; append a range such as [5m]",
  ],
  [
    "rate((up))",
    "(up) | the argument of rate() must be a range vector, not an instant vector; append a range such as [5m]",
  ],
  ["rate(up[1h:5m])"],
  ["rate(1)", "1 | the argument of rate() must be a range vector, not a scalar"],
  ['rate("a")', '"a" | the argument of rate() must be a range vector, not a string'],
  [
    "abs(up[5m])",
    "up[5m] | the argument of abs() must be an instant vector, not a range vector; apply a function over time such as rate() to it",
  ],
  ["abs(1)", "1 | the argument of abs() must be an instant vector, not a scalar; write vector() around it"],
  [
    "vector(up)",
    "up | the argument of vector() must be a scalar, not an instant vector; write a number, or scalar() around it",
  ],
  ["vector(scalar(up))"],
  ["vector(time())"],
  [
    "label_replace(up, 1, '$1', 'b', '(.*)')",
    "1 | argument 2 of label_replace() must be a string, not a scalar; put it in quotes",
  ],
  [
    "label_replace(up, b, '$1', up[5m], '(.*)')",
    "b | argument 2 of label_replace() must be a string, not an instant vector",
    "up[5m] | argument 4 of label_replace() must be a string, not a range vector",
  ],
  [
    "histogram_quantile(up, up)",
    "up | argument 1 of histogram_quantile() must be a scalar, not an instant vector; write a number, or scalar() around it",
  ],
  [
    "label_join(up, 'a', ',', 'b', 3)",
    "3 | argument 5 of label_join() must be a string, not a scalar; put it in quotes",
  ],
  // of what holds an error, no consequences
  [
    "rate(abs(up[5m]))",
    "abs(up[5m]) | the argument of rate() must be a range vector, not an instant vector; append a range such as [5m]",
    "up[5m] | the argument of abs() must be an instant vector, not a range vector; apply a function over time such as rate() to it",
  ],
  ["rate(ratee(up[5m])) + rate(up[5m])", "ratee | ratee() is not a function of Prometheus 3.14 (Did you mean rate?)"],
  [
    "-(ratee(up)) and 1 > unknown_one(up)",
    "ratee | ratee() is not a function of Prometheus 3.14 (Did you mean rate?)",
    "unknown_one | unknown_one() is not a function of Prometheus 3.14",
  ],
]

const COUNTS: readonly (readonly [string, ...string[]])[] = [
  ["time()"],
  ["time(1)", "time(1) | time() takes 0 arguments, not 1"],
  ["abs()", "abs() | abs() takes 1 argument, not 0"],
  ["abs(up, up)", "abs(up, up) | abs() takes 1 argument, not 2"],
  ["clamp(up, 1)", "clamp(up, 1) | clamp() takes 3 arguments, not 2"],
  ["hour()"],
  ["hour(up)"],
  ["hour(up, up)", "hour(up, up) | hour() takes 0 to 1 argument, not 2"],
  ["round(up)"],
  ["round(up, 5)"],
  ["round()", "round() | round() takes 1 to 2 arguments, not 0"],
  ["label_join(up, 'a')", "label_join(up, 'a') | label_join() takes at least 3 arguments, not 2"],
  ["label_join(up, 'a', ',')"],
  ["label_join(up, 'a', ',', 'b', 'c', 'd')"],
  ["sort_by_label(up)"],
  ["sort_by_label(up, 'a', 'b')"],
  ["sort_by_label()", "sort_by_label() | sort_by_label() takes at least 1 argument, not 0"],
  ["histogram_quantiles(up, 'q', 0.5)"],
  ["histogram_quantiles(up, 'q', 0, 1, 2, 3, 4, 5, 6, 7, 8, 9)"],
  [
    "histogram_quantiles(up, 'q')",
    "histogram_quantiles(up, 'q') | histogram_quantiles() takes 3 to 12 arguments, not 2",
  ],
  [
    "histogram_quantiles(up, 'q', 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, up)",
    "histogram_quantiles(up, 'q', 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, up) | histogram_quantiles() takes 3 to 12 arguments, not 13",
  ],
  ["min_of(1, 2)"],
  ["max_of(1)", "max_of(1) | max_of() takes 2 arguments, not 1"],
]

const INFO = 'argument 2 of info() must be matchers in braces, without a name, such as {cluster="a"}'
const INFOS: readonly (readonly [string, ...string[]])[] = [
  ["info(up)"],
  ["info(up, {})"],
  ['info(up, {a=~".*"})'],
  ['info(up, # with comments\n  {a=""} # here\n)'],
  ["info(up, target_info)", `target_info | ${INFO}`],
  ['info(up, ({a="b"}))', `({a="b"}) | ${INFO}`],
  ["info(up, sum(up))", `sum(up) | ${INFO}`],
  ["info(up, 1)", "1 | argument 2 of info() must be an instant vector, not a scalar; write vector() around it"],
  ["info({})", `{} | a selector needs a name, or a matcher that does not match "", such as job=~".+"`],
]

for (const [title, table] of Object.entries({
  "checks the types of arguments": TYPES,
  "counts arguments": COUNTS,
  "lets info() select all labels, and no name": INFOS,
})) {
  test(title, () => {
    for (const [text, ...problems] of table) assert.deepEqual(problemsOf(text), problems, text)
  })
}

test("names the function that is meant, and why it is missing", () => {
  const of = (text: string, ...args: Parameters<typeof dialectOf>): readonly string[] =>
    problemsOf(text, dialectOf(...args))
  const smoothing = (name: string): string => `${name}(up[5m], 0.5, 0.5)`
  assert.deepEqual(
    [
      of(smoothing("holt_winters"), "prometheus-2.53"),
      of(smoothing("holt_winters"), "prometheus-3.5"),
      of(smoothing("holt_winters"), "prometheus-3.5", ["promql-experimental-functions"]),
      of(smoothing("holt_winters"), "cortex-1.21"),
      of(smoothing("double_exponential_smoothing"), "prometheus-2.53"),
      of(smoothing("double_exponential_smoothing"), "prometheus-3.5"),
      of(smoothing("double_exponential_smoothing"), "prometheus-3.5", ["promql-experimental-functions"]),
      of("xrate(up[5m])", "cortex-1.21"),
      of("xrate(up[5m])", "prometheus-3.14"),
      of("first_over_time(up[5m])", "prometheus-3.14"),
      of("first_over_time(up[5m])", "prometheus-3.5"),
      of("first_over_time(up[5m])", "cortex-1.21"),
      of(smoothing("holt_winters"), "mimir"),
      of("RATE(up[5m])", "prometheus-3.5"),
    ],
    [
      [],
      [
        "holt_winters | holt_winters() is not a function of Prometheus 3.5; since Prometheus 3.0 it is called double_exponential_smoothing()",
      ],
      [
        "holt_winters | holt_winters() is not a function of Prometheus 3.5; since Prometheus 3.0 it is called double_exponential_smoothing()",
      ],
      [],
      [
        "double_exponential_smoothing | double_exponential_smoothing() is not a function of Prometheus 2.53; before Prometheus 3.0 it is called holt_winters()",
      ],
      [
        "double_exponential_smoothing | double_exponential_smoothing() is experimental and needs --enable-feature=promql-experimental-functions in Prometheus 3.5",
      ],
      [],
      [],
      ["xrate | xrate() is not a function of Prometheus 3.14, only of other versions or servers"],
      [],
      ["first_over_time | first_over_time() is not a function of Prometheus 3.5, only of other versions or servers"],
      [
        "first_over_time | first_over_time() is experimental and needs -querier.enable-promql-experimental-functions in Cortex 1.21",
      ],
      [],
      ["RATE | RATE() is not a function of Prometheus 3.5 (Did you mean rate?)"],
    ],
  )
})

test("notes what Mimir accepts and evaluates for some tenants alone", () => {
  const flags = ["promql-experimental-functions", "promql-extended-range-selectors"] as const
  const notes = (text: string, on: readonly (typeof flags)[number][] = []): readonly string[] => {
    const read = readExpression(text, dialectOf("mimir", on))
    assert.equal(read.verdict, "valid", text)
    return read.verdict === "valid"
      ? read.notes.map(({ from, to, message }) => `${text.slice(from, to)} | ${message}`)
      : []
  }
  const [call, selector] = ["limitk(2, mad_over_time(up[5m]))", "rate(up[5m] smoothed) + up anchored"]
  const note = (at: string, what: string, of: string): string =>
    `${at} | ${what} is experimental: Mimir accepts it, and evaluates it through the query-frontend only with enabled_promql_${of} of the tenant's limits`
  const ofFunction = (name: string): string => note(name, `${name}()`, "experimental_functions")
  const ofSelector = (name: string): string => note(name, name, "extended_range_selectors")
  assert.deepEqual(notes(call), [ofFunction("limitk"), ofFunction("mad_over_time")])
  assert.deepEqual(notes(selector), [ofSelector("smoothed"), ofSelector("anchored")])
  assert.deepEqual([...notes(call, flags), ...notes(selector, flags), ...notes("up")], [])
  assert.deepEqual(notes(call, [flags[1]]).length, 2)
})

test("reads a call of every function with as few and as many arguments as it takes", () => {
  const samples = { scalar: "1", vector: "up", matrix: "up[5m]", string: "'a'" }
  for (const [name, signature] of SIGNATURES) {
    if (!NEWEST.functions.has(name)) continue
    for (const count of new Set([signature.least, Math.min(signature.most, signature.arguments.length + 3)])) {
      const types = Array.from(
        { length: count },
        (_, index) => signature.arguments[index] ?? signature.arguments.at(-1) ?? "scalar",
      )
      const operands = types.map((type, index) => (name === "info" && index === 1 ? "{}" : samples[type]))
      assert.equal(expressionOf(`${name}(${operands.join(", ")})`).type, signature.returns, name)
    }
  }
})

test("shows of a long name only its begin", () => {
  assert.deepEqual(
    problemsOf(`${"a".repeat(99_000)}(up)`).map((problem) => problem.replaceAll(/a{90}/g, "")),
    [`| ${"a".repeat(60)}…() is not a function of Prometheus 3.14`].map((message) => ` ${message}`),
  )
})
