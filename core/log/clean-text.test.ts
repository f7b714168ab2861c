import assert from "node:assert/strict"
import test from "node:test"
import fc from "fast-check"
import { cleanText } from "./clean-text.ts"

test("text becomes one line without what is invisible or turns the direction of writing", () => {
  assert.equal(
    cleanText(" a\r\n\tb\u0000\u001b[31mc\u2028d\u202eE\u2066f\u200bg\ufeffh\ud800i\u0085j "),
    "a b [31mc dEfghi j",
  )
  assert.equal(cleanText('Grüße, 世界, 🙂 <b>"&"</b>'), 'Grüße, 世界, 🙂 <b>"&"</b>')
})

test("what is too long is cut between characters, with a sign", () => {
  assert.equal(cleanText("abcdef", 6), "abcdef")
  assert.equal(cleanText("abcdefg", 6), "abc…")
  assert.equal(cleanText("🙂🙂🙂", 8), "🙂…")
  assert.equal(cleanText("x".repeat(100_000)), `${"x".repeat(2_045)}…`)
  assert.equal(cleanText(`${" ".repeat(100_000)}x`), "…")
})

test("any text becomes one that is clean, short, and stays as it is when cleaned again", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 300 }), fc.integer({ min: 3, max: 200 }), (text, bytes) => {
      const clean = cleanText(text, bytes)
      assert.ok(Buffer.byteLength(clean) <= bytes)
      assert.doesNotMatch(clean, /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]|\s{2}|^\s|\s$/u)
      assert.equal(cleanText(clean, bytes), clean)
    }),
  )
})
