import assert from "node:assert/strict"
import { test } from "node:test"
import { seeded } from "../../../dev/fuzz/random.ts"
import { seedOf } from "../../../dev/testing/seed.ts"
import { canonicalExpression } from "./canonical.ts"
import { anyVector, changed } from "./model.testing.ts"
import { spell } from "./spelling.testing.ts"

const SAME: readonly (readonly [string, ...string[]])[] = [
  [
    'sum by ("a") ({__name__="x"})',
    "sum by(a)(x)",
    "sum(x) by (a)",
    "SUM(x)BY(a,)",
    "\n  sum by (a) ( # of all\n x\n)\n",
  ],
  ['sum by ("a", "b") ({__name__="x"})', "sum by (b, a) (x)", "sum by (a, b, a) (x)"],
  ['sum({__name__="x"})', "sum(x)", "sum by () (x)", "(sum((x)))"],
  ['sum without ("a") ({__name__="x"})', "sum without (a) (x)", 'sum(x) without("a")'],
  ['{__name__="up",job="a"}', 'up{job="a"}', "{job='a',__name__=`up`}", '{"up", job="\\x61",}', 'up{job="a",job="a"}'],
  ["1000", "1e3", "1000.0", "1_000", "0x3e8", "16m40s", "(1000)"],
  ["-0", "-0", "-0.0"],
  ["Inf", "inf", "+Inf", "INF"],
  ["-(1 ^ 2)", "-1^2", "-(1^2)", "- (1) ^ 2"],
  ["(-1) ^ 2", "(-1)^2", "( -1 ) ^ 2"],
  ['({__name__="a"} - {__name__="b"}) - {__name__="c"}', "a - b - c", "(a - b) - c", "((a)-(b))-(c)"],
  ['{__name__="a"} ^ ({__name__="b"} ^ {__name__="c"})', "a ^ b ^ c", "a ^ (b ^ c)"],
  ['rate({__name__="x"}[90000ms])', "rate(x[90s])", "rate(x[1m30s])", "rate(x[90])"],
  ['({__name__="x"})[3600000ms:60000ms]', "x[1h:1m]", "(x)[60m:60s]"],
  ['({__name__="x"})[3600000ms:]', "x[1h:]"],
  ['{__name__="x"} @ 1000 offset 300000ms', "x offset 5m @ 1000", "x @ 1e3 offset 300s"],
  ['{__name__="x"} offset -300000ms', "x offset -5m"],
  ['{__name__="x"}', "x", "x offset 0s", "x offset -0s"],
  ['{__name__="x"}[300 + 60]', "x[5m+1m]", "x[ 300 + 1m ]"],
  ['{__name__="x"} @ start()', "x @ start()", "x@START( )"],
  ['{__name__="a"} == bool on ("x", "y") group_left ("v", "w") {__name__="b"}', "a ==bool on(y,x) group_left(w,v) b"],
  ['{__name__="a"} + {__name__="b"}', "a + b", "a + ignoring() b", "(a) + (b)"],
  ['{__name__="a"} + fill_left(0) fill_right(0) {__name__="b"}', "a + fill(0) b", "a + fill_right(0) fill_left(0) b"],
  ['{__name__="x"}[60000ms] anchored', "x[1m] anchored", "x anchored [1m]"],
  ['label_replace({__name__="x"}, "a\\"b", "$1", "c", "(.*)")', "label_replace(x, 'a\"b', `$1`, 'c', \"(.*)\")"],
  ['xrate({__name__="x"}[60000ms])', "xrate(x[1m])", "xrate( x[60s] )"],
  ['anything_new({__name__="x"}, 1)', "anything_new(x,1)", "anything_new ( x , 1.0 )"],
  ['absent(({__name__="x"}))', "absent((x))", "absent( ( ((x)) ) )"],
  // not readable: only trimmed
  ["sum by (a x", " sum by (a x\n"],
  ["rate(x)", "rate(x)"],
  ["", " "],
]

/** Of each, no two are equal. */
const DIFFERENT: readonly (readonly string[])[] = [
  ["a - b", "b - a", "a + b", "-(a - b)"],
  ["a - b - c", "a - (b - c)", "a - c - b"],
  ["-1^2", "(-1)^2", "1^-2", "-1^-2"],
  ["sum(x)", "sum without () (x)", "sum by (a) (x)", "sum without (a) (x)", "max(x)"],
  ["x", "x offset 5m", "x offset -5m", "x @ 5", "x @ start()", "x @ end()", "x[5m]", "x[5m:]", "x[5m:1m]"],
  ["a == b", "a == bool b", "a == on() b", "a == on(x) b", "a == ignoring(x) b", "a == ignoring() group_left b"],
  ["a * on(x) group_left b", "a * on(x) group_right b", "a * on(x) group_left(y) b", "a * on(x) b"],
  ["a + fill(0) b", "a + fill_left(0) b", "a + fill_right(0) b", "a + b"],
  ["absent(x)", "absent((x))"],
  ["x[0.001]", "x[0.0014]", "x[0.0016]"],
  ["0", "-0", "NaN", "Inf", "-Inf"],
  ['x{a="b"}', 'x{a=~"b"}', 'x{a!="b"}', 'x{a!~"b"}', 'x{b="a"}', 'x{a="b",b=""}', 'x{"a.b"="b"}'],
  ["clamp_max(x, 1)", "clamp_min(x, 1)", "clamp_max(x, 2)"],
  ["label_join(x, 'a', ',', 'b', 'c')", "label_join(x, 'a', ',', 'c', 'b')"],
  ["x offset 5m", "x offset (5m + 1m)", "x offset step()"],
  ["x anchored", "x smoothed", "x"],
  ["(x offset 5m)[1h:]", "(x)[1h:] offset 5m"],
  ["sum by (a x", "sum by (a  x"],
]

test("gives spellings of one meaning one text, which is its own", () => {
  for (const [text, ...spellings] of SAME) {
    assert.deepEqual(
      [text, ...spellings].map((spelling) => [spelling, canonicalExpression(spelling)]),
      [text, ...spellings].map((spelling) => [spelling, text]),
    )
  }
})

test("keeps apart what means different things", () => {
  for (const texts of DIFFERENT)
    assert.equal(new Set(texts.map(canonicalExpression)).size, texts.length, texts.join("   "))
})

test("is equal for all spellings of an expression, and for no other expression", (t) => {
  const random = seeded(seedOf(t))
  for (let round = 0; round < 500; round++) {
    const model = anyVector(random, random.below(5))
    const text = spell(model, random)
    const canonical = canonicalExpression(text)
    assert.equal(canonicalExpression(canonical), canonical, text)
    const other = changed(model, random)
    for (const [spelt, same] of [
      [spell(model, random), true],
      [spell(other, random), JSON.stringify(other) === JSON.stringify(model)],
    ] as const) {
      assert.equal(canonicalExpression(spelt) === canonical, same, `${text}\n--- against ---\n${spelt}`)
    }
  }
})
