import assert from "node:assert/strict"
import test from "node:test"
import fc from "fast-check"
import { Wrong } from "#core/config/settings.ts"
import { parseTenant } from "./parse-tenant.ts"

for (const id of [
  "0",
  "a",
  "team-a",
  "A.b_c*d'e(f)g!h-1",
  "...",
  "__proto__",
  "constructor",
  "toString",
  "__markers",
  "user-index.json",
  "-",
  "x".repeat(150),
])
  test(`accepts ${id.slice(0, 30)}`, () => assert.equal(parseTenant(id), id))

const LETTERS = "must consist of letters, digits and !-_.*'()"
const TAKEN = "must be another name: Cortex and Mimir use this one for themselves"
const refused: readonly (readonly [what: string, text: string, reason: string])[] = [
  ["no text", "", "must not be empty"],
  ["a dot", ".", TAKEN],
  ["two dots", "..", TAKEN],
  ["a folder of Cortex", "__markers__", TAKEN],
  ["an object of Cortex", "user-index.json.gz", TAKEN],
  ["two tenants", "a|b", `${LETTERS} (has "|")`],
  ["a path", "../a", `${LETTERS} (has "/")`],
  ["a backslash", "a\\b", String.raw`${LETTERS} (has "\\")`],
  ["a second header", "a\r\nX-Scope-OrgID: b", String.raw`${LETTERS} (has "\r")`],
  ["a line feed at the end", "a\n", String.raw`${LETTERS} (has "\n")`],
  ["a NUL", "a\0", String.raw`${LETTERS} (has "\u0000")`],
  ["a space", "a b", `${LETTERS} (has " ")`],
  ["a comma", "a,b", `${LETTERS} (has ",")`],
  ["a colon", "a:b", `${LETTERS} (has ":")`],
  ["a regular expression", "a.+", `${LETTERS} (has "+")`],
  ["a letter beyond ASCII", "røde", `${LETTERS} (has "ø")`],
  ["a letter of two units", "a😀", `${LETTERS} (has "😀")`],
  ["half a letter", "a\uD83D", String.raw`${LETTERS} (has "\ud83d")`],
  ["a turn of direction", "a\u202Eb", String.raw`${LETTERS} (has "\u{202e}")`],
  ["what was no UTF-8", "a\uFFFD", `${LETTERS} (has "\uFFFD")`],
  ["151 characters", "x".repeat(151), "must have at most 150 characters (has 151)"],
  ["ten million characters", "|".repeat(10_000_000), "must have at most 150 characters (has 10000000)"],
]
for (const [what, text, reason] of refused)
  test(`refuses ${what}`, () => assert.deepEqual(parseTenant(text), new Wrong(reason)))

test("accepts exactly what Cortex documents, for any text", () => {
  const any = fc.oneof(
    fc.string({ unit: "binary", maxLength: 200 }),
    fc.string({ unit: fc.constantFrom(..."aZ09!_.*'()-".split("")), maxLength: 160 }),
    fc.constantFrom(".", "..", "__markers__", "user-index.json.gz"),
  )
  fc.assert(
    fc.property(any, (text) => {
      const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!_.*'()-"
      const own = [".", "..", "__markers__", "user-index.json.gz"].includes(text)
      const legal = text.length > 0 && text.length <= 150 && text.split("").every((letter) => letters.includes(letter))
      assert.equal(!(parseTenant(text) instanceof Wrong), legal && !own)
    }),
    { numRuns: 2000 },
  )
})
