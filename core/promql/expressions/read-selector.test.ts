import assert from "node:assert/strict"
import { test } from "node:test"
import { dialectOf } from "./dialects.ts"
import { expressionOf, problemsOf } from "./testing.ts"

const RANGE = "a range stands after a selector only; for other expressions write a subquery such as [5m:]"
const OFFSET = "offset stands after a selector, a range or a subquery only"
const AT = "@ stands after a selector, a range or a subquery only"

const PLACES: readonly (readonly [string, ...string[]])[] = [
  ["up[5m]"],
  ["{a='b'}[5m]"],
  ["(up)[5m]", `(up)[5m] | ${RANGE}`],
  ["abs(up)[5m]", `abs(up)[5m] | ${RANGE}`],
  ["up[5m][5m]", `up[5m][5m] | ${RANGE}`],
  ["up[5m:][5m]", `up[5m:][5m] | ${RANGE}`],
  ["up offset 5m [5m]", "up offset 5m [5m] | offset stands after the range; move it to the end"],
  ["up @ 5 [5m]", "up @ 5 [5m] | @ stands after the range; move it to the end"],
  ["up @ end() [5m]"],
  ["min_over_time(up[5m:])[step():]"],
  ["up[step():]", ": | unexpected : in [], where a duration is expected"],
  ["up offset 0s [5m]"],
  ["up offset step() [5m]"],
  ["abs(up)[5m:]"],
  ["up[5m:1m]"],
  ["up offset 5m [5m:1m]"],
  ["(-up)[5m:]"],
  [
    "up[5m][1h:]",
    "up[5m] | what a subquery evaluates must be an instant vector, not a range vector; apply a function over time such as rate() to it",
  ],
  ["1[5m:]", "1 | what a subquery evaluates must be an instant vector, not a scalar; write vector() around it"],
  ["up offset 5m @ 5"],
  ["up[5m:] @ end() offset -5m"],
  ["sum(up) offset 5m", `sum(up) offset 5m | ${OFFSET}`],
  ["(up) offset 5m", `(up) offset 5m | ${OFFSET}`],
  ["1 offset 5m", `1 offset 5m | ${OFFSET}`],
  ["rate(up[5m]) @ 5", `rate(up[5m]) @ 5 | ${AT}`],
  ["1 + (a + b) @ start()", `(a + b) @ start() | ${AT}`],
  ["up offset 0s offset 1m"],
  ["up @ 9e18"],
  ["up @ 1e19", "1e19 | @ needs seconds since 1970 that a server can hold"],
  ["up offset 5m offset 1m", "up offset 5m offset 1m | offset stands here twice; remove one"],
  ["up @ 5 @ 6", "up @ 5 @ 6 | @ stands here twice; remove one"],
  ["up @ start() @ 6", "up @ start() @ 6 | @ stands here twice; remove one"],
  ["up @ -5.5"],
  ["up @ NaN", "NaN | @ needs seconds since 1970 that a server can hold"],
  ["up @ Inf", "Inf | @ needs seconds since 1970 that a server can hold"],
  ["up @ 1e30", "1e30 | @ needs seconds since 1970 that a server can hold"],
  ["up smoothed"],
  ["up anchored [5m]"],
  ["up[5m] smoothed offset 5m"],
  ["up[5m:] smoothed", "up[5m:] smoothed | smoothed stands after a selector or a range only"],
  ["abs(up) anchored", "abs(up) anchored | anchored stands after a selector or a range only"],
  ["up smoothed anchored", "up smoothed anchored | smoothed and anchored exclude each other; remove one"],
  ["atan2", 'atan2 | atan2 is an operator; write {__name__="atan2"} for a metric of this name'],
  ['ATAN2{a="b"} + 1', 'ATAN2 | atan2 is an operator; write {__name__="atan2"} for a metric of this name'],
]

test("checks where ranges, offset, @, smoothed and anchored stand", () => {
  for (const [text, ...problems] of PLACES) assert.deepEqual(problemsOf(text), problems, text)
})

test("names the flag of smoothed, and servers that do not know it", () => {
  assert.deepEqual(
    [
      problemsOf("rate(up[5m] smoothed)", dialectOf("prometheus-3.14")),
      problemsOf("rate(up[5m] smoothed)", dialectOf("prometheus-3.14", ["promql-extended-range-selectors"])),
      problemsOf("rate(up[5m] smoothed)", dialectOf("cortex-1.21")),
    ],
    [
      ["smoothed | smoothed needs --enable-feature=promql-extended-range-selectors in Prometheus 3.14"],
      [],
      ["smoothed | Cortex 1.21 does not know smoothed"],
    ],
  )
})

test("reads selectors, ranges and subqueries as a whole", () => {
  const up = [{ label: "__name__", op: "=", value: "up" }]
  assert.deepEqual(expressionOf(' up{job="a"}[5m] anchored @ end() offset -1m '), {
    kind: "selector",
    from: 1,
    to: 44,
    type: "matrix",
    matchers: [...up, { label: "job", op: "=", value: "a" }],
    range: 300_000,
    modifier: "anchored",
    offset: -60_000,
    at: "end()",
  })
  assert.deepEqual(expressionOf("up offset 1m [1h:30s] @ -1.5"), {
    kind: "subquery",
    from: 0,
    to: 28,
    type: "matrix",
    of: {
      kind: "selector",
      from: 0,
      to: 12,
      type: "vector",
      matchers: up,
      range: undefined,
      modifier: undefined,
      offset: 60_000,
      at: undefined,
    },
    range: 3_600_000,
    step: 30_000,
    offset: undefined,
    at: -1.5,
  })
})
