import assert from "node:assert/strict"
import { test } from "node:test"
import { createOracle } from "../../dev/fuzz/oracle.ts"
import { seeded } from "../../dev/fuzz/random.ts"
import { randomSelector } from "../../dev/fuzz/random-selector.ts"
import { need } from "../../dev/testing/component.ts"
import { findPrometheus, VERSIONS } from "../../dev/testing/prometheus.ts"
import { seedOf } from "../../dev/testing/seed.ts"
import { compile } from "./compiled.ts"
import { type Containment, contains } from "./containment.ts"
import type { Selector } from "./selector.ts"
import { federating, type Series } from "./testing.ts"

/** Stand for the labels of the random selectors, where any value is possible in every version. */
const LABELS: Readonly<Record<string, string>> = { __name__: "n", job: "j", x: "x" }

interface Pair {
  readonly allowed: number
  readonly match: number
  readonly result: Containment
  /** Index of a series that is made from the witness. */
  readonly shown: number | undefined
}

interface Plan {
  readonly selectors: readonly Selector[]
  readonly pairs: readonly Pair[]
  readonly series: readonly Series[]
}

/** Random selectors, all pairs decided, and series around their borders. `dotAll`: as this version reads a bare dot. */
function plan(seed: number, dotAll: boolean): Plan {
  const random = seeded(seed)
  const oracle = createOracle()
  const selectors: Selector[] = []
  const pairs: Pair[] = []
  const series: Series[] = []
  for (let round = 0; round < 15; round++) {
    const wide = [randomSelector(random), randomSelector(random), randomSelector(random)]
    const all = [...wide, ...wide.map((one) => one.narrower())]
    const words: [string, ...string[]] = ["", ...all.flatMap((one) => one.words())]
    const first = selectors.length
    const renamed = all.map(({ selector }) =>
      selector.map((matcher) => ({ ...matcher, label: LABELS[matcher.label] ?? matcher.label })),
    )
    const takes = (selector: Selector, label: string, word: string): boolean =>
      selector.every((matcher) => matcher.label !== label || oracle.accepts(matcher, word, dotAll))
    selectors.push(...renamed)
    for (let i = 0; i < 40; i++) {
      series.push(Object.fromEntries(Object.values(LABELS).map((label) => [label, random.pick(words)])))
    }
    const compiled = renamed.map(compile)
    renamed.forEach((allowed, a) =>
      renamed.forEach((match, m) => {
        const [compiledAllowed, compiledMatch] = [compiled[a], compiled[m]]
        if (compiledAllowed === undefined || compiledMatch === undefined || a === m) return
        const result = contains(compiledAllowed, compiledMatch)
        const fitting = Object.values(LABELS).map((label) => {
          const witness = result.kind === "not contained" && result.label === label ? [result.witness] : words
          return [label, witness.find((word) => takes(match, label, word))] as const
        })
        const possible = fitting.flatMap(([label, word]) => (word === undefined ? [] : [[label, word] as const]))
        // a witness can be one for the other versions only
        const shows =
          result.kind === "not contained" &&
          possible.length === fitting.length &&
          !takes(allowed, result.label, result.witness)
        const shown = shows ? series.push(Object.fromEntries(possible)) - 1 : undefined
        pairs.push({ allowed: first + a, match: first + m, result, shown })
      }),
    )
  }
  return { selectors, pairs, series }
}

for (const version of VERSIONS) {
  test(`agrees with Prometheus ${version} on what contained selectors select, and on every witness`, async (t) => {
    const folder = need(t, findPrometheus(version))
    if (folder === undefined) return
    const seed = seedOf(t)
    const { selectors, pairs, series } = plan(seed, version.startsWith("3"))

    const federate = await federating(t, folder, series)
    const selected: ReadonlySet<number>[] = []
    for (const selector of selectors) selected.push(await federate(selector))

    const count = { contained: 0, shown: 0 }
    for (const { allowed, match, result, shown } of pairs) {
      const about = JSON.stringify({ allowed: selectors[allowed], match: selectors[match], result })
      const [shared, requested] = [selected[allowed] ?? new Set(), selected[match] ?? new Set<number>()]
      if (result.kind === "contained") {
        const leaked = [...requested].filter((id) => !shared.has(id)).map((id) => series[id])
        assert.deepEqual(leaked, [], about)
        count.contained++
      }
      if (shown !== undefined) {
        assert.deepEqual([requested.has(shown), shared.has(shown)], [true, false], about)
        count.shown++
      }
    }
    t.diagnostic(`${series.length} series, ${pairs.length} pairs: ${JSON.stringify(count)}`)
    assert.ok(count.contained > 50 && count.shown > 50, JSON.stringify(count))
  })
}
