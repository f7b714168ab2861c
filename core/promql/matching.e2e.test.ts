import assert from "node:assert/strict"
import { test } from "node:test"
import { seeded } from "../../dev/fuzz/random.ts"
import { randomSelector } from "../../dev/fuzz/random-selector.ts"
import { need } from "../../dev/testing/component.ts"
import { findPrometheus, VERSIONS } from "../../dev/testing/prometheus.ts"
import { seedOf } from "../../dev/testing/seed.ts"
import { compile } from "./compiled.ts"
import { matchingOf } from "./matching.ts"
import { Budget } from "./regex/search.ts"
import type { Selector } from "./selector.ts"
import { federating, type Series } from "./testing.ts"

/** Stand for the labels of the random selectors, where any value is possible in every version. */
const LABELS: Readonly<Record<string, string>> = { __name__: "n", job: "j", x: "x" }

for (const version of VERSIONS.filter((one) => one.startsWith("3"))) {
  test(`selects of random series those that Prometheus ${version} selects`, async (t) => {
    const folder = need(t, findPrometheus(version))
    if (folder === undefined) return
    const seed = seedOf(t)
    const random = seeded(seed)
    const selectors: Selector[] = []
    const series: Series[] = []
    while (selectors.length < 150) {
      const one = randomSelector(random)
      const words: [string, ...string[]] = ["", ...one.words()]
      const selector = one.selector.map((matcher) => ({ ...matcher, label: LABELS[matcher.label] ?? matcher.label }))
      if (compile(selector).problem("at least") !== undefined) continue
      selectors.push(selector)
      for (let i = 0; i < 8; i++) {
        series.push(Object.fromEntries(Object.values(LABELS).map((label) => [label, random.pick(words)])))
      }
    }
    const federate = await federating(t, folder, series)
    let selected = 0
    for (const selector of selectors) {
      const matching = matchingOf([selector])
      const found = series.flatMap((labels, id) => {
        const values = matching.labels.map((label) => labels[label] ?? "")
        return matching.matches(values, new Budget(100_000)) ? [id] : []
      })
      const all = await federate(selector)
      // where letters fold, versions differ in which of those beyond ASCII they take: only what every one takes is found
      const folds = selector.some(({ value }) => value.includes("(?i"))
      const expected = [...all].filter((id) => !folds || found.includes(id)).toSorted((a, b) => a - b)
      assert.deepEqual(found, expected, JSON.stringify(selector))
      selected += found.length
    }
    t.diagnostic(`${series.length} series, ${selectors.length} selectors, ${selected} selected`)
    assert.ok(selected > 1000)
  })
}
