import assert from "node:assert/strict"
import { test } from "node:test"
import { RE2JS } from "re2js"
import { seeded } from "../../../dev/fuzz/random.ts"
import { randomTokens } from "../../../dev/fuzz/random-regex.ts"
import { seedOf } from "../../../dev/testing/seed.ts"
import { parseRegex } from "./parse.ts"
import { InvalidRegex, Undecidable } from "./undecidable.ts"

type Verdict = "valid" | "invalid" | "not supported"

function verdict(pattern: string): Verdict {
  try {
    parseRegex(pattern)
    return "valid"
  } catch (error) {
    if (error instanceof InvalidRegex) return "invalid"
    if (error instanceof Undecidable) return "not supported"
    throw error
  }
}

function judge(pattern: string): Verdict {
  try {
    RE2JS.compile(pattern)
    return "valid"
  } catch {
    return "invalid"
  }
}

test("takes what re2js takes and refuses what it refuses, for any order of tokens", (t) => {
  const seed = seedOf(t)
  const random = seeded(seed)
  const count = { valid: 0, invalid: 0, "not supported": 0 }
  for (let i = 0; i < 20_000; i++) {
    const pattern = randomTokens(random)
    // refused on purpose, see the test below
    if (pattern.includes("\\Q") && !/\\E(?!.*\\Q)/s.test(pattern)) continue
    // two groups of one name, as in Go
    if (/(\(\?P<n>|\(\?<m>)[^]*\1/.test(pattern)) continue
    const ours = verdict(pattern)
    count[ours]++
    if (ours !== "not supported") assert.equal(ours, judge(pattern), JSON.stringify(pattern))
  }
  assert.ok(Math.min(...Object.values(count)) > 100, JSON.stringify(count))
})

test("refuses on purpose what RE2 takes and Prometheus does not, or not everywhere alike", () => {
  for (const [pattern, expected] of [
    ["\\Qa", "invalid"], // the group that Prometheus puts around would not end
    ["\\pL", "not supported"],
    ["[\\p{Greek}]", "not supported"],
    ["(?i)λ", "not supported"],
    ["(?i)[a-λ]", "not supported"],
    ["[Éé]", "not supported"], // Go reads it as (?i:é)
    ["Éa|éb|(?:É|é)", "not supported"],
    ["(".repeat(201) + ")".repeat(201), "not supported"],
    ["a".repeat(65_537), "not supported"],
    ["\ud800", "invalid"],
  ] as const) {
    assert.equal(verdict(pattern), expected, pattern.slice(0, 20))
  }
})

test("says what is wrong", () => {
  const message = (pattern: string): string => {
    try {
      parseRegex(pattern)
      return "nothing"
    } catch (error) {
      return (error as Error).message
    }
  }
  assert.deepEqual(
    ["(a", "a)", "[a", "*", "a**", "a{1001}", "(?:a{100}){11}", "\\", "\\8", "\\C", "(?=a)", "[b-a]", "\\x{}"].map(
      message,
    ),
    [
      "missing )",
      "unexpected )",
      "missing ]",
      "nothing to repeat before *",
      "a repetition of a repetition at *",
      "invalid repeat count",
      "invalid repeat count",
      "a backslash at the end",
      "\\8 is no RE2 syntax",
      "\\C is no RE2 syntax",
      "(?= is no RE2 syntax",
      "a range in [] ends before it starts",
      "\\x needs two hexadecimal digits, or some in braces",
    ],
  )
})
