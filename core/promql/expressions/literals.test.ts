import assert from "node:assert/strict"
import { test } from "node:test"
import type { Dialect } from "./dialect.ts"
import { dialectOf } from "./dialects.ts"
import { expressionOf, NEWEST, problemsOf } from "./testing.ts"

const OLD = dialectOf("prometheus-2.53")
const MIDDLE = dialectOf("prometheus-3.5")

/** Expression, then its problems; none where it is valid. */
type Table = readonly (readonly [string, ...string[]])[]

function judges(title: string, table: Table, dialect: Dialect): void {
  test(`${title} as ${dialect.name}`, () => {
    assert.deepEqual(
      table.map(([text]) => [text, ...problemsOf(text, dialect)]),
      table,
    )
  })
}

judges(
  "judges numbers",
  [
    ["08"],
    ["1."],
    ["1_000.5e1_0"],
    ["1e400", "1e400 | 1e400 is larger than any number; write Inf"],
    ["0x", "0x | 0x is no number"],
    ["0x1e+5", "0x1e+5 | 0x1e+5 is no number"],
    ["0x8000000000000000", "0x8000000000000000 | 0x8000000000000000 is no number"],
    ["1__0", "1__0 | 1__0 is neither a number nor a duration"],
    ["0b1", "0b1 | 0b1 is neither a number nor a duration"],
    ["5M", "5M | 5M is neither a number nor a duration"],
    ["x.5", ".5 | unexpected .5"],
    ["5m.5", ".5 | unexpected .5"],
    ["up @ 1e18"],
    ["up @ 1e30", "1e30 | @ needs seconds since 1970 that a server can hold"],
    ["up @ NaN", "NaN | @ needs seconds since 1970 that a server can hold"],
    ["up @ -Inf", "-Inf | @ needs seconds since 1970 that a server can hold"],
  ],
  NEWEST,
)
judges(
  "judges durations",
  [
    ["up[292y]"],
    ["up[300]"],
    ["up[--5m]"],
    ["up[5m - 5m]"],
    ["up[2 * step() + max_of(1m, range())]"],
    ["up offset -step()"],
    ["up offset 0"],
    ["up[0s]", "0s | a range must be greater than 0"],
    ["up[-5m]", "-5m | a range must be greater than 0"],
    ["up[5m:0s]", "0s | a step must be greater than 0"],
    ["up[300y]", "300y | 300y is more than 292 years"],
    ["up[1e10]", "1e10 | 1e10 seconds are more than 292 years"],
    ["300y", "300y | 300y is more than 292 years"],
    ["up[1m1h]", "1m1h | 1m1h is no duration; write each unit once, from y over w, d, h, m and s to ms"],
    ["up[5m5m]", "5m5m | 5m5m is no duration; write each unit once, from y over w, d, h, m and s to ms"],
    ["up[1.5m]", "1.5m | 1.5m is no duration; write each unit once, from y over w, d, h, m and s to ms"],
    ["up[5m/0]", "/ | a duration is divided by 0"],
    ["up[5m%0]", "% | a duration is divided by 0"],
    ["up[Inf]", "I | unexpected I in [], where a duration is expected"],
    ["up[#c\n5m]", "# | unexpected # in [], where a duration is expected"],
    ["up[5m#c\n]"],
    ["up offset (5m)"],
    ["up offset --5m + 1", "unchecked: an operator stands after an offset with parentheses or two signs"],
  ],
  NEWEST,
)
judges(
  "judges durations",
  [
    ["up[5m:]"],
    ["up offset -5m"],
    ["5m", "5m | Prometheus 2.53 reads no durations as numbers; write the seconds"],
    ["up @ 5m", "5m | Prometheus 2.53 reads no durations as numbers; write the seconds"],
    ["up[300]", "300 | a duration needs a unit, such as 5m"],
    ["up[5m:300]", "300 | a duration needs a unit, such as 5m"],
    ["up offset 300", "300 | a duration needs a unit, such as 5m"],
    ["up offset +5m", "+ | Prometheus 2.53 reads no sign there; remove it"],
    ["up offset 0s", "0s | an offset of 0 is not allowed; remove it"],
    ["1_000", "1_000 | 1_000 is neither a number nor a duration"],
    ["up[5m x 1m]"], // any word is a colon there
  ],
  OLD,
)
judges(
  "judges durations",
  [
    ["rate(up[300] offset 1h30m) + 5m"],
    ["up[5m+1m]", "+ | arithmetic with durations needs --enable-feature=promql-duration-expr in Prometheus 3.5"],
    ["up[(5m)]", "(5m) | arithmetic with durations needs --enable-feature=promql-duration-expr in Prometheus 3.5"],
    ["up[step()]", "s | unexpected s in [], where a duration is expected"],
    ["up offset min_of(1m, 2m)", "min_of | Prometheus 3.5 does not know min_of() in a duration"],
  ],
  MIDDLE,
)
judges(
  "judges durations",
  [
    ["up[step()]"],
    ["up[min(5m, 1h)]", "unchecked: min() and max() of durations cannot be read here"],
    ["up offset max(5m, 1h)", "unchecked: min() and max() of durations cannot be read here"],
    ["min(up", " | unexpected end, ) is missing"],
  ],
  dialectOf("cortex-1.21"),
)

const EMPTY = 'a selector needs a name, or a matcher that does not match "", such as job=~".+"'
judges(
  "judges matchers",
  [
    ["{}", `{} | ${EMPTY}`],
    ['{a=~".*"}', `{a=~".*"} | ${EMPTY}`],
    ['{a!="x"}', `{a!="x"} | ${EMPTY}`],
    ['{a=~"|x"}', `{a=~"|x"} | ${EMPTY}`],
    ['{a=~"\\\\B"}', `{a=~"\\\\B"} | ${EMPTY}`],
    ['{a!~".+"}', `{a!~".+"} | ${EMPTY}`],
    ['{"foo"=""}', `{"foo"=""} | ${EMPTY}`],
    ['{""}', `{""} | ${EMPTY}`],
    ['{a=~"\\\\b"}'],
    ['{a!~".*"}'],
    ['{a!=""}'],
    ['{"foo",a=""}'],
    ['{"foo","bar"}'],
    ['up{__name__="x"}', '__name__="x" | the metric is called up already; remove one of the names'],
    ['up{"__name__"!="x"}', '"__name__"!="x" | the metric is called up already; remove one of the names'],
    ['foo{"bar"}', '"bar" | the metric is called foo already; remove one of the names'],
    ['{a=~"(?=x)y"}', 'a=~"(?=x)y" | the regular expression of a is not valid in RE2: (?= is no RE2 syntax'],
    ['{a=~"(a)\\\\1"}', 'a=~"(a)\\\\1" | the regular expression of a is not valid in RE2: \\1 is no RE2 syntax'],
    ['{a=~"a\\\\Z"}', 'a=~"a\\\\Z" | the regular expression of a is not valid in RE2: \\Z is no RE2 syntax'],
    ['up{a!~"a{1001}"}', 'a!~"a{1001}" | the regular expression of a is not valid in RE2: invalid repeat count'],
    ['{a=~"a**"}', 'a=~"a**" | the regular expression of a is not valid in RE2: a repetition of a repetition at *'],
    [
      '{a=~"\\\\p{Foo}"}',
      'a=~"\\\\p{Foo}" | the regular expression of a is not valid in RE2: invalid character class range: `\\p{Foo}`',
    ],
    ['{a=~"\\\\pL+"}'],
    ['{a=~"(?i)é"}'],
    ['{a=~"\\\\Qa"}'],
    ['{a="\\xff"}', "unchecked: it holds a string that is not UTF-8"],
    ['{a="\\xff"} + ', " | unexpected end"],
  ],
  NEWEST,
)
judges(
  "judges tokens",
  [
    ['"\\d"', '\\ | the unknown escape "\\\\d" in a string'],
    ['"\\\'"', '\\ | the unknown escape "\\\\\'" in a string'],
    ['"\\777"', '\\ | the unknown escape "\\\\7" in a string'],
    ['"abc', '" | a string that does not end'],
    ["`a\n`"],
    ["'a\n'", "' | a string that does not end"],
    ['"\ufffd"', "\ufffd | invalid UTF-8 in a string"],
    ["up\u00a0", "\u00a0 | unexpected the character U+00A0"],
    ["up #\r + 1"],
    ["up #\r}", "} | unexpected }"],
    ["", " | there is no expression"],
    ["# up", " | there is no expression"],
    ["sum(a", " | unexpected end, ) is missing"],
    ["a)", ") | unexpected )"],
    ["({)", ") | unexpected ) in {}"],
    ["a ! b", "! | unexpected !"],
    ["up{a.b='c'}", ". | unexpected . in {}"],
    ["offset offset 5m"],
    [
      "sum by (offset) (offset) + offset[5m:] @ 0",
      "offset[5m:] @ 0 | an operand of + must be a scalar or an instant vector, not a range vector; apply a function over time such as rate() to it",
    ],
    ["atan2", 'atan2 | atan2 is an operator; write {__name__="atan2"} for a metric of this name'],
    ["bool", "bool | unexpected bool"],
    ["sum by (inf) (a)", "inf | unexpected inf"],
    ["sum by (a:b) (a)"],
    ["min_of(1, 2) + max_of # c\n (1, time())"],
  ],
  NEWEST,
)

test("reads numbers as Go does", () => {
  const numbers = [
    ["017", 15],
    ["08", 8],
    ["0x_1F", 31],
    ["1_000.5", 1000.5],
    ["1.", 1],
    [".5E-1", 0.05],
    ["0777777777777777777777777", 7.777777777777778e23],
    ["9223372036854775808", 2 ** 63],
    ["-inf", -Infinity],
    ["NaN", NaN],
    ["- # c\n 5", -5],
    ["1h30m", 5400],
    ["1y1w1d1h1m1s1ms", 32230861.001],
  ] as const
  assert.deepEqual(
    numbers.map(([text]) => {
      const read = expressionOf(text)
      return [text, read.kind === "number" && read.value]
    }),
    numbers,
  )
})

test("reads durations in milliseconds, and what is computed as one spelling", () => {
  const durations = [
    ["5m", 300_000],
    ["300", 300_000],
    ["+1.5", 1500],
    ["--1h30m", 5_400_000],
    ["5m+1m", "300 + 60"],
    ["2*STEP()", "2 * step()"],
    ["(5m)", 300_000],
    ["-(5m - 1m) % 7", "-(300 - 60) % 7"],
    ["Max_Of(1m,range())", "max_of(60, range())"],
  ] as const
  assert.deepEqual(
    durations.map(([text]) => {
      const read = expressionOf(`up[${text}]`)
      return [text, read.kind === "selector" && read.range]
    }),
    durations,
  )
})
