import assert from "node:assert/strict"
import { test } from "node:test"
import { RE2JS } from "re2js"
import { seeded } from "../../../dev/fuzz/random.ts"
import { LETTERS, nearMiss, randomRegex, randomTokens } from "../../../dev/fuzz/random-regex.ts"
import { seedOf } from "../../../dev/testing/seed.ts"
import { Automaton } from "./automaton.ts"
import { parseRegex } from "./parse.ts"
import { compileRegex } from "./program.ts"
import { acceptsWord, Budget, findSharedWord } from "./search.ts"
import type { Regex } from "./tree.ts"
import { Undecidable } from "./undecidable.ts"

function accepts(pattern: string, word: string, dotAll = true): boolean {
  const automaton = new Automaton(compileRegex(parseRegex(pattern), { dotAll, bound: "at most" }))
  return acceptsWord({ automaton, negated: false }, word, new Budget(1e9))
}

function parsed(pattern: string): Regex | undefined {
  try {
    return parseRegex(pattern)
  } catch (error) {
    if (error instanceof Undecidable) return undefined
    throw error
  }
}

test("accepts a word exactly when re2js matches it", (t) => {
  const seed = seedOf(t)
  const random = seeded(seed)
  let accepted = 0
  for (let i = 0; i < 6000; i++) {
    const shape = randomRegex(random, 3)
    // tokens around it bring assertions, flags and what else the syntax has
    const pattern = random.chance(0.5) ? shape.text : randomTokens(random) + shape.text + randomTokens(random)
    const regex = parsed(pattern)
    if (regex === undefined) continue
    const sample = shape.sample()
    const words = ["", "a", "\n", sample, nearMiss(random, sample), `${random.pick(LETTERS)}${sample}\n`, `b${sample}-`]
    for (const dotAll of [true, false]) {
      const judge = RE2JS.compile(pattern, dotAll ? RE2JS.DOTALL : 0)
      const automaton = new Automaton(compileRegex(regex, { dotAll, bound: "at most" }))
      for (const word of words) {
        const result = acceptsWord({ automaton, negated: false }, word, new Budget(1e9))
        assert.equal(result, judge.matches(word), JSON.stringify({ pattern, word, dotAll }))
        if (result) accepted++
      }
    }
  }
  assert.ok(accepted > 3000, `only ${accepted} words accepted`)
})

test("folds every letter of ASCII as re2js does at most, and to its other case at least", () => {
  const everything = Array.from({ length: 0x3000 }, (_, i) => String.fromCodePoint(i))
  for (let point = 0; point <= 0x7f; point++) {
    const pattern = `(?i)\\x{${point.toString(16)}}`
    const judge = RE2JS.compile(pattern)
    const folded = everything.filter((letter) => judge.matches(letter))
    for (const [bound, expected] of [
      ["at most", folded],
      ["at least", folded.filter((letter) => letter < "\x80")],
    ] as const) {
      const automaton = new Automaton(compileRegex(parseRegex(pattern), { dotAll: true, bound }))
      const language = { automaton, negated: false }
      const accepted = everything.filter((letter) => acceptsWord(language, letter, new Budget(1e9)))
      assert.deepEqual(accepted, expected, `${pattern} ${bound}`)
    }
  }
})

test("differs from JavaScript where RE2 does", () => {
  assert.deepEqual(
    [
      accepts("\\d", "٣"), // ASCII only
      accepts("\\s", "\v"), // no vertical tab in RE2's \s
      accepts("[]a]", "]"), // a first ] is a member
      accepts("a{,2}", "a{,2}"), // not a repetition
      accepts("(?i)K", "\u212a"), // Kelvin sign
      accepts("a$\n", "a\n"), // $ is the end of the text only
      accepts("(?m)a$\nb", "a\nb"),
      accepts(".", "😀"), // one code point
      accepts("\\x{1F600}", "😀"),
    ],
    [false, false, true, true, true, false, true, true, true],
  )
})

test("finds a shortest word that reads well", () => {
  const language = (pattern: string, negated = false) => ({
    automaton: new Automaton(compileRegex(parseRegex(pattern), { dotAll: true, bound: "at most" })),
    negated,
  })
  const word = (...of: Parameters<typeof language>[]) =>
    findSharedWord(
      of.map((each) => language(...each)),
      new Budget(1e6),
    )
  assert.equal(word(["project_.*"], ["project_.*_usage", true]), "project_")
  assert.equal(word(["project_.+"], ["project_.*_usage", true]), "project_x")
  assert.equal(word([".*a.*"], [".*b"], ["ab", true]), "xab")
  assert.equal(word(["a+"], ["(aa)+"], ["(aaa)+"]), "aaaaaa")
  assert.equal(word(["[a-c]+"], ["[d-f]+"]), undefined)
  assert.equal(word(["[\\x{D800}-\\x{DFFF}]"]), undefined) // no characters
  assert.equal(word(["[^\\x00-\\x{10FFFF}]"]), undefined)
})
