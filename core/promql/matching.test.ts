import assert from "node:assert/strict"
import { test } from "node:test"
import { createOracle } from "../../dev/fuzz/oracle.ts"
import { seeded } from "../../dev/fuzz/random.ts"
import { randomSelector } from "../../dev/fuzz/random-selector.ts"
import { seedOf } from "../../dev/testing/seed.ts"
import { matchingOf } from "./matching.ts"
import { parseSelector } from "./parse.ts"
import { Budget } from "./regex/search.ts"
import { Undecidable } from "./regex/undecidable.ts"

type Labels = Readonly<Record<string, string>>
const STEPS = 100_000

function selects(selectors: readonly string[], series: Labels): boolean {
  const matching = matchingOf(selectors.map(parseSelector))
  return matching.matches(
    matching.labels.map((label) => series[label] ?? ""),
    new Budget(STEPS),
  )
}

const CASES: readonly (readonly [selector: string, series: Labels, selected: boolean])[] = [
  ["up", { __name__: "up" }, true],
  ["up", { __name__: "upper" }, false],
  ["up", {}, false],
  ['{job=""}', {}, true],
  ['{job=""}', { job: "" }, true],
  ['{job=""}', { job: "a" }, false],
  ['{job!=""}', {}, false],
  ['{job!="a"}', {}, true],
  ['{job=~"a|b"}', { job: "b" }, true],
  ['{job=~"a|b"}', { job: "ab" }, false],
  ['{job=~"a"}', { job: "xax" }, false],
  ['{job=~".*"}', {}, true],
  ['{job=~".+"}', {}, false],
  ['{job=~".+"}', { job: "\n" }, true],
  ['{job!~"a.*"}', { job: "a\nb" }, false],
  ['{job!~"a.*"}', {}, true],
  ['{job=~"(?i)UP"}', { job: "up" }, true],
  ['{job=~"."}', { job: "é" }, true],
  ['{job=~"."}', { job: "\u{1F600}" }, true],
  ['{job="a",x!="1"}', { job: "a", x: "2" }, true],
  ['{job="a",x!="1"}', { job: "a", x: "1" }, false],
  ['{__name__="up",__name__="down"}', { __name__: "up" }, false],
  ['{__name__=""}', { job: "a" }, true],
]

for (const [selector, series, selected] of CASES) {
  test(`${selector} ${selected ? "selects" : "does not select"} ${JSON.stringify(series)}`, () =>
    assert.equal(selects([selector], series), selected))
}

test("selects what any of several selectors selects", () => {
  const selectors = ["up", 'up{job="a"}', '{__name__=~"node_.*",job="node"}', '{x="1"}']
  const series: readonly Labels[] = [
    { __name__: "up", job: "b" },
    { __name__: "node_load1", job: "node" },
    { __name__: "other", x: "1" },
    { __name__: "node_load1", job: "a" },
  ]
  assert.deepEqual(
    series.map((one) => selects(selectors, one)),
    [true, true, true, false],
  )
})

test("knows which names a selector may select", () => {
  const matching = matchingOf([parseSelector('up{job="a"}'), parseSelector('{__name__=~"node_.*",x="1"}')])
  assert.deepEqual(
    ["up", "node_load1", "down"].map((name) => matching.mayBeNamed(name, new Budget(STEPS))),
    [true, true, false],
  )
  const unnamed = matchingOf([parseSelector('{job="a"}')])
  assert.equal(unnamed.mayBeNamed("anything", new Budget(STEPS)), true)
})

// oxlint-disable-next-line no-control-regex -- all of ASCII
const isBeyondAscii = (word: string): boolean => /[^\u0000-\u007f]/.test(word)

test("finds what only every version takes of letters that fold: neither a kelvin sign nor a long s", () => {
  assert.equal(selects(['{x=~"(?i)k"}'], { x: "K" }), true)
  assert.equal(selects(['{x=~"(?i)k"}'], { x: "\u212a" }), false)
  assert.equal(selects(['{x!~"(?i)k"}'], { x: "\u212a" }), false)
  assert.equal(selects(['{x=~"(?i)s"}'], { x: "\u017f" }), false)
})

test("agrees with another implementation of RE2 on random selectors and words around their borders", (t) => {
  const seed = seedOf(t)
  const random = seeded(seed)
  const oracle = createOracle()
  for (let round = 0; round < 200; round++) {
    const some = [randomSelector(random), randomSelector(random), randomSelector(random)]
    const words: [string, ...string[]] = ["", ...some.flatMap((one) => one.words())]
    const selectors = some.map(({ selector }) => selector)
    const matching = matchingOf(selectors)
    for (let index = 0; index < 20; index++) {
      const values = matching.labels.map(() => random.pick(words))
      const valueOf = (label: string): string => values[matching.labels.indexOf(label)] ?? ""
      const expected = selectors.some((all) => all.every((one) => oracle.accepts(one, valueOf(one.label), true)))
      const about = JSON.stringify({ selectors, labels: matching.labels, values })
      // where letters fold, versions differ in which of those beyond ASCII they take: only what every one takes is found
      const differs = selectors.flat().some(({ value }) => value.includes("(?i")) && values.some(isBeyondAscii)
      // the second time from what was kept
      for (let time = 0; time < 2; time++) {
        const found = matching.matches(values, new Budget(STEPS))
        assert.equal(found, differs ? found && expected : expected, about)
      }
    }
  }
})

test("gives a value up that takes more steps than there are", () => {
  const matching = matchingOf([parseSelector('{job=~"(.*a.*){1,20}b"}')])
  const matches = () => matching.matches(["a".repeat(10_000)], new Budget(1000))
  assert.throws(matches, (error) => error instanceof Undecidable)
})
