import assert from "node:assert/strict"
import test from "node:test"
import fc from "fast-check"
import { quote } from "./quote.ts"

const quoted: readonly (readonly [what: string, text: string, shown: string])[] = [
  ["plain text", "red", `"red"`],
  ["nothing", "", `""`],
  ["quotes and backslashes", String.raw`a"b\c`, String.raw`"a\"b\\c"`],
  ["line ends", "a\r\nb\u2028c", String.raw`"a\r\nb\u{2028}c"`],
  ["escape sequences", "\u001B[2J\u009B2J", String.raw`"\u001b[2J\u{9b}2J"`],
  ["direction and zero width", "a\u202Eb\u200Bc\uFEFF", String.raw`"a\u{202e}b\u{200b}c\u{feff}"`],
  ["letters of other alphabets", "røde Grüße 東京 😀", `"røde Grüße 東京 😀"`],
  ["half a letter", "a\uD83Db", String.raw`"a\ud83db"`],
  ["60 characters", "x".repeat(60), `"${"x".repeat(60)}"`],
  ["61 characters", "x".repeat(61), `"${"x".repeat(60)}…" (61 characters)`],
  ["a letter of two units where it is cut", `${"x".repeat(59)}😀`, `"${"x".repeat(59)}…" (61 characters)`],
]
for (const [what, text, shown] of quoted) test(`quotes ${what}`, () => assert.equal(quote(text), shown))

test("is short, on one line and printable for any text", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 300 }), (text) => {
      const shown = quote(text)
      assert.ok(shown.length < 700)
      assert.doesNotMatch(shown, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
      assert.ok(shown.isWellFormed())
    }),
    { numRuns: 2000 },
  )
})
