import assert from "node:assert/strict"
import { test } from "node:test"
import * as fc from "fast-check"
import { seeded } from "../../../dev/fuzz/random.ts"
import { mutated, randomExpression } from "../../../dev/fuzz/random-expression.ts"
import { seedOf } from "../../../dev/testing/seed.ts"
import { dialectOf } from "./dialects.ts"
import { readExpression } from "./read-expression.ts"
import { NEWEST, problemsOf } from "./testing.ts"

const repeat = (count: number, part: string, between = ""): string => Array(count).fill(part).join(between)
const nested = (count: number, open: string, close: string): string => repeat(count, open) + "up" + repeat(count, close)
const TOO_DEEP = "unchecked: it is nested deeper, or a longer chain, than can be read here"

const SIZES: readonly (readonly [title: string, text: string, ...problems: string[]])[] = [
  ["300 `or`", repeat(301, "up", " or ")],
  ["2,300 `or`", repeat(2301, "up", " or ")],
  ["2,300 `+`", repeat(2301, "up", "+")],
  ["400 `^`", repeat(401, "up", "^")],
  ["400 signs", `${repeat(400, "-")}up`],
  ["400 parentheses", nested(400, "(", ")")],
  ["400 calls", nested(400, "abs(", ")")],
  ["a wrong end of 2,300 `or`", `${repeat(2301, "up", " or ")} or`, " | unexpected end"],
  ["3,000 `or`", repeat(3001, "up", " or "), TOO_DEEP],
  ["3,000 `+`", repeat(3001, "up", " + "), TOO_DEEP],
  ["1,000 `^`", repeat(1001, "up", "^"), TOO_DEEP],
  ["33,000 operators", repeat(33_000, "1", " +"), TOO_DEEP],
  ["1,000 parentheses", nested(1000, "(", ")"), TOO_DEEP],
  ["49,000 parentheses", nested(49_000, "(", ")"), TOO_DEEP],
  ["99,000 signs", `${repeat(99_000, "-")}1`, TOO_DEEP],
  ["99,000 open parentheses", repeat(99_000, "("), " | unexpected end, ) is missing"],
  ["99,000 open braces", repeat(99_000, "{"), "{ | unexpected { in {}"],
  ["99,000 quotes", repeat(99_000, "'"), "'' | unexpected ''"],
  ["10,000 matchers", `up{${repeat(10_000, 'a="b"', ",")}}`],
  ["5,000 arguments", `label_join(up, "a", ${repeat(5000, '"b"', ", ")})`],
  [
    "an expression of 90,000 characters",
    `up{a=~"${repeat(90_000, "a")}"}`,
    "unchecked: the regular expression of a cannot be checked: it is longer than 65536 characters",
  ],
  ["an expression of 60,000 characters", `up{a=~"${repeat(20_000, "a|b")}"}`],
  [
    "an expression with large repetitions",
    `up{a=~"${repeat(1000, "[a-z]{1000}")}"}`,
    "unchecked: the regular expression of a cannot be checked: it repeats too much to be checked",
  ],
  ["a name of 99,000 letters", repeat(99_000, "a")],
  [
    "a wrong word of 99,000 letters",
    `1 ${repeat(99_000, "a")}`,
    `${repeat(99_000, "a")} | unexpected ${repeat(50, "a")}…`,
  ],
  [
    "a number of 99,000 digits",
    repeat(99_000, "1"),
    `${repeat(99_000, "1")} | ${repeat(50, "1")}… is larger than any number; write Inf`,
  ],
  ["a million characters", repeat(500_000, "1+"), "unchecked: it is longer than 100000 characters"],
]
for (const [title, text, ...problems] of SIZES) {
  test(`reads ${title} with bounded work`, () => assert.deepEqual(problemsOf(text), problems))
}

const piece = fc.oneof(
  fc.string({ unit: "binary", maxLength: 5 }),
  fc.constantFrom(
    ..."( ) [ ] { } \" ' ` \\ # , : offset @ 5m -- ^ or sum( up{ =~ [5m: \ufffd \ud800 # \n \r".split(" "),
  ),
)
test("judges any text in every dialect, and throws nothing", () => {
  const dialects = [NEWEST, dialectOf("prometheus-2.53"), dialectOf("prometheus-3.5"), dialectOf("cortex-1.21")]
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), fc.nat(200), (pieces, times) => {
      for (const text of [pieces.join(""), pieces.map((part) => part.repeat(times)).join("")]) {
        for (const dialect of dialects) {
          const read = readExpression(text, dialect)
          if (read.verdict !== "invalid") continue
          for (const { from, to, message } of read.problems) {
            assert.ok(from >= 0 && from <= to && to <= text.length && message !== "", JSON.stringify(read))
          }
        }
      }
    }),
    { numRuns: 300 },
  )
})

test("judges random expressions and their near misses, and throws nothing", (t) => {
  const random = seeded(seedOf(t))
  for (let i = 0; i < 3000; i++) {
    const text = randomExpression(random)
    for (const each of [text, mutated(random, text)]) assert.ok(problemsOf(each).length <= 100)
  }
})
