import assert from "node:assert/strict"
import { test } from "node:test"
import * as fc from "fast-check"
import { parseSelector } from "./parse.ts"
import { canonical, type Matcher, printSelector } from "./selector.ts"

/** What a text means in the one spelling, or why it means nothing. */
function read(text: string): string {
  try {
    return printSelector(parseSelector(text))
  } catch (error) {
    return (error as Error).message
  }
}

const SAME: readonly (readonly [title: string, text: string, printed: string])[] = [
  ["a name", "up", '{__name__="up"}'],
  ["a name with empty braces", "up{}", '{__name__="up"}'],
  ["a name with a colon", "job:up:sum", '{__name__="job:up:sum"}'],
  ["a keyword as a name", "sum", '{__name__="sum"}'],
  ["a keyword as a label", '{bool="x",on="y"}', '{bool="x",on="y"}'],
  ["matchers in another order", '{job="a",__name__=~"b"}', '{__name__=~"b",job="a"}'],
  ["spaces and line breaks", ' up\t{ a = "b"\r\n, c !~ "d" } ', '{__name__="up",a="b",c!~"d"}'],
  ["a trailing comma", '{a="b",}', '{a="b"}'],
  ["a repeated matcher", '{a="b",a="b"}', '{a="b"}'],
  ["several matchers of one label", '{a!="c",a=~"b.*"}', '{a!="c",a=~"b.*"}'],
  ["a comment", 'up # {a="b"}\n{c="d"} # e', '{__name__="up",c="d"}'],
  ["a comment that ends with a carriage return and a line break", 'up#x\r\n{a="b"}', '{__name__="up",a="b"}'],
  ["a quoted name", '{"my.metric",a="b"}', '{__name__="my.metric",a="b"}'],
  ["a quoted label", '{"my.label"="b"}', '{"my.label"="b"}'],
  ["single quotes", `{a='b"\\''}`, '{a="b\\"\'"}'],
  ["back quotes, which know no escapes", '{a=`b\\n\n"`}', '{a="b\\\\n\\u000a\\""}'],
  [
    "Go's escapes",
    String.raw`{a="\a\b\f\n\r\t\v\\\""}`,
    String.raw`{a="\u0007\u0008\u000c\u000a\u000d\u0009\u000b\\\""}`,
  ],
  ["numeric escapes", String.raw`{a="\x41\102\u0043\U00000044"}`, '{a="ABCD"}'],
  ["bytes that make a character", String.raw`{a="\xc3\xa9\303\251"}`, '{a="éé"}'],
  ["an escaped replacement character", String.raw`{a="\ufffd"}`, String.raw`{a="\ufffd"}`],
  ["an escaped NUL", String.raw`{a="\000"}`, String.raw`{a="\u0000"}`],
  ["comments between all parts", '{a#1\n=#2\n"b"#3\n,#4\n"c d"#5\n!=#6\n"e"}', '{a="b","c d"!="e"}'],
  ["a hash inside a string", '{a="#"}', '{a="#"}'],
  ["no matcher at all", "{}", "{}"],
]
for (const [title, text, printed] of SAME) test(`reads ${title}`, () => assert.equal(read(text), printed))

const AT = "is not a PromQL vector selector:"
const ONE = 'where one selector such as up{job="node"} is expected.'
const MATCHER = 'where a matcher such as job="node", a comma or } is expected.'
const STRING = "where a PromQL string is expected."
const REFUSED: readonly (readonly [title: string, text: string, message: string])[] = [
  ["nothing", "", `An empty text ${AT} the end at character 1, ${ONE}`],
  ["a comment alone", "#", `# ${AT} the end at character 2, ${ONE}`],
  ["a range", "up[5m]", `up[5m] ${AT} "[" at character 3, ${ONE}`],
  ["an offset", "up offset 5m", `up offset 5m ${AT} an expression (OffsetExpr) at character 1, ${ONE}`],
  ["a time", "up @ 3", `up @ 3 ${AT} an expression (StepInvariantExpr) at character 1, ${ONE}`],
  ["a sum", "up + up", `up + up ${AT} an expression (BinaryExpr) at character 1, ${ONE}`],
  ["an alternative", "up or up", `up or up ${AT} an expression (BinaryExpr) at character 1, ${ONE}`],
  ["a function", "rate(up)", `rate(up) ${AT} "(" at character 5, ${ONE}`],
  ["parentheses", "(up)", `(up) ${AT} "(" at character 1, ${ONE}`],
  ["a string", '"up"', `"up" ${AT} an expression (StringLiteral) at character 1, ${ONE}`],
  ["two selectors", "up foo", `up foo ${AT} "f" at character 4, ${ONE}`],
  ["two selectors with a comma", "up,foo", `up,foo ${AT} "," at character 3, ${ONE}`],
  ["a comma alone", "{,}", `{,} ${AT} "," at character 2, ${MATCHER}`],
  ["two commas", '{a="b",,}', `{a="b",,} ${AT} "," at character 8, ${MATCHER}`],
  ["a value without quotes", "up{a=b}", `up{a=b} ${AT} "b" at character 6, ${MATCHER}`],
  ["an unknown operator", '{a=="b"}', `{a=="b"} ${AT} "=" at character 4, ${MATCHER}`],
  ["braces that do not close", '{a="b"', `{a="b" ${AT} the end at character 7, ${MATCHER}`],
  [
    "a string that does not close",
    '{a="b\n}',
    `"{a=\\"b\\n}" ${AT} a string that does not end at character 4, ${STRING}`,
  ],
  ["text after an emoji by characters", '{a="😀"};', `{a="😀"}; ${AT} ";" at character 8, ${ONE}`],
  ["another space", "up\u00a0", `up\u00a0 ${AT} "\u00a0" at character 3, ${ONE}`],
  ["a NUL", "up\0", `"up\\u0000" ${AT} "\u0000" at character 3, ${ONE}`.replace("\u0000", "\\u0000")],
  [
    "a carriage return in a comment",
    'up#x\r{a="b"}',
    `"up#x\\r{a=\\"b\\"}" ${AT} a carriage return in a comment at character 5, where a line break is expected.`,
  ],
  [
    "an unknown escape",
    String.raw`{a="\q"}`,
    String.raw`{a="\q"} ${AT} the unknown escape "\\q" at character 5, ${STRING}`,
  ],
  [
    "the other quote escaped",
    String.raw`{a="\'"}`,
    String.raw`{a="\'"} ${AT} the unknown escape "\\'" at character 5, ${STRING}`,
  ],
  [
    "an octal escape beyond a byte",
    String.raw`{a="\400"}`,
    String.raw`{a="\400"} ${AT} the unknown escape "\\4" at character 5, ${STRING}`,
  ],
  [
    "a surrogate",
    String.raw`{a="\ud800"}`,
    String.raw`{a="\ud800"} ${AT} the unknown escape "\\u" at character 5, ${STRING}`,
  ],
  [
    "bytes that are not UTF-8",
    String.raw`{a="\xff"}`,
    String.raw`{a="\xff"} ${AT} a value that is not UTF-8 at character 5, ${STRING}`,
  ],
  ["a replacement character", '{a="\ufffd"}', `{a="\ufffd"} ${AT} invalid UTF-8 at character 5, ${STRING}`],
  ["half a surrogate pair", '{a="\ud800"}', `{a="\ud800"} ${AT} invalid UTF-8 at character 1, ${ONE}`],
  [
    "a name twice",
    '{"a","b"}',
    `{"a","b"} ${AT} a second metric name at character 6, where a label matcher is expected.`,
  ],
  [
    "a name before and in braces",
    'a{"b"}',
    `a{"b"} ${AT} a second metric name at character 3, where a label matcher is expected.`,
  ],
  [
    "a name beside __name__",
    'up{__name__=~"x"}',
    `up{__name__=~"x"} ${AT} a metric name beside a matcher of __name__ at character 1, where one of the two is expected.`,
  ],
  ["an empty name", '{""}', `{""} ${AT} an empty name at character 2, where a metric name is expected.`],
  ["an empty label", '{""="x"}', `{""="x"} ${AT} an empty name at character 2, where a label name is expected.`],
]
for (const [title, text, message] of REFUSED) test(`refuses ${title}`, () => assert.equal(read(text), message))

const text = fc
  .string({
    unit: fc.oneof(
      fc.constantFrom('"', "\\", "'", "`", "\n", "#", "{", "\0", "\ufffd", "é"),
      fc.string({ unit: "binary", minLength: 1, maxLength: 1 }),
    ),
  })
  .filter((value) => value.isWellFormed())
const label = fc.oneof(
  fc.constantFrom("a", "b", "__name__", "job"),
  text.filter((name) => name !== ""),
)
const matcher: fc.Arbitrary<Matcher> = fc.record(
  { label, op: fc.constantFrom("=", "!=", "=~", "!~"), value: text },
  { noNullPrototype: true },
)

test("reads back what it prints, whatever the names and values", () => {
  fc.assert(
    fc.property(fc.array(matcher, { maxLength: 5 }), (matchers) => {
      assert.deepEqual(parseSelector(printSelector(canonical(matchers))), canonical(matchers))
    }),
    { numRuns: 2000 },
  )
})

test("has one canonical form for matchers in any order and repetition", () => {
  fc.assert(
    fc.property(fc.array(matcher, { maxLength: 4 }), (matchers) => {
      assert.deepEqual(canonical([...matchers.toReversed(), ...matchers]), canonical(matchers))
    }),
  )
})
