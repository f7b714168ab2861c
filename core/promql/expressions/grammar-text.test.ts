import assert from "node:assert/strict"
import { test } from "node:test"
import { grammarText } from "./grammar-text.ts"
import { readTokens } from "./lexer.ts"
import { NEWEST } from "./testing.ts"

/** Expression, and what the grammar reads in its place. */
const TEXTS: readonly (readonly [string, string])[] = [
  ["1. + 0x_f + .5e1", "11 + 1111 + .111"],
  ["'\\'#' # c\n < `}`", '"aaa"      < "a"'],
  ["up{on='b', \"c d\"=~'e'}", 'up{aa="a", "aaa"=~"a"}'],
  ["offset offset 5m", "aaaaaa offset 1m"],
  ["sum(offset) by (offset, a:b) + offset", "sum(aaaaaa) by (offset, a_b) + aaaaaa"],
  ["sum by(a)(offset) atan2 on(b) offset", "sum by(a)(aaaaaa) atan2 on(b) aaaaaa"],
  ["a + on(b) group_left offset", "a + on(b) group_left aaaaaa"],
  ["a + bool offset", "a + bool aaaaaa"],
  ["a + fill(1) offset", "a + fill(1) aaaaaa"],
  ["sum(a) without # c\n() unless (b)", "sum(a) without     () unless (b)"],
  ["min_of(1,2) + ln(a) + foo:bar #\n(1)", "abs   (1,1) + ln(a) + abs       (1)"],
  ["a offset min_of(1m,-step())", "a offset min_of(1m,-step())"],
  ["a[Min_of(1m,2m):STEP()]", "a[min_of(1m,1m):step()]"],
  ["a @ start() + start()", "a @ start() + abs  ()"],
  ["by + by by by", "by + by by by"],
  ["x.5 + Inf.5 + 5m.5", "x.1 + Inf.1 + 1m.1"],
]

for (const [text, written] of TEXTS) {
  test(`writes ${JSON.stringify(text)} for the grammar, token for token`, () => {
    const tokens = readTokens(text, NEWEST)
    assert.ok(!("message" in tokens))
    assert.equal(grammarText(text, tokens, NEWEST), written)
  })
}
