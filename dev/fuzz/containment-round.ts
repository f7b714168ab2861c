import { compile } from "#core/promql/compiled.ts"
import { type Containment, contains } from "#core/promql/containment.ts"
import type { Selector } from "#core/promql/selector.ts"
import { createOracle, type Oracle } from "./oracle.ts"
import type { Random } from "./random.ts"
import { LABELS, randomSelector } from "./random-selector.ts"

export interface Tally {
  readonly decisions: number
  readonly contained: number
  readonly notContained: number
  readonly undecidable: number
}

export const NOTHING_YET: Tally = { decisions: 0, contained: 0, notContained: 0, undecidable: 0 }

/**
 * Some random selectors and narrower ones, each pair decided and every decision judged by the words of both. Throws on
 * the first that is wrong.
 */
export function playRound(random: Random, before: Tally): Tally {
  const oracle = createOracle()
  const wide = Array.from({ length: 4 }, () => randomSelector(random))
  const narrow = wide.map((selector) => selector.narrower())
  const narrowest = narrow.map((selector) => selector.narrower())
  const all = [...wide, ...narrow, ...narrowest]
  const words = ["", ...new Set(all.flatMap((one) => one.words()))]
  const compiled = all.map(({ selector }) => compile(selector))
  const tally = { ...before }
  compiled.forEach((allowed, a) => {
    compiled.forEach((match, m) => {
      const result = contains(allowed, match)
      const narrowed = a % wide.length === m % wide.length && a <= m
      // folded letters are decided otherwise than by RE2, see docs/containment.md
      const folds = [...allowed.selector, ...match.selector].some(({ value }) => /\(\?i|\[aA\]/.test(value))
      if (narrowed && !folds && result.kind !== "contained")
        throw wrong("narrower", allowed.selector, match.selector, result)
      if (!folds || result.kind === "contained") judge(oracle, words, allowed.selector, match.selector, result)
      tally.decisions++
      if (result.kind === "contained") tally.contained++
      else if (result.kind === "not contained") tally.notContained++
      else tally.undecidable++
    })
  })
  return tally
}

function judge(
  oracle: Oracle,
  words: readonly string[],
  allowed: Selector,
  match: Selector,
  result: Containment,
): void {
  const takes = (selector: Selector, label: string, word: string, dotAll: boolean): boolean =>
    selector.every((matcher) => matcher.label !== label || oracle.accepts(matcher, word, dotAll))
  if (result.kind === "not contained") {
    const { label, witness } = result
    const shown = [true, false].some(
      (dotAll) => takes(match, label, witness, dotAll) && !takes(allowed, label, witness, dotAll),
    )
    if (!shown) throw wrong("witness", allowed, match, result)
  }
  if (result.kind !== "contained") return
  for (const dotAll of [true, false]) {
    const values = LABELS.map((label) => words.filter((word) => takes(match, label, word, dotAll)))
    if (values.some(({ length }) => length === 0)) continue // as far as is known, it selects nothing
    LABELS.forEach((label, i) => {
      const leak = values[i]?.find((word) => !takes(allowed, label, word, dotAll))
      if (leak !== undefined) throw wrong(`leak ${JSON.stringify({ label, leak, dotAll })}`, allowed, match, result)
    })
  }
}

function wrong(what: string, allowed: Selector, match: Selector, result: Containment): Error {
  return new Error(`${what}: ${JSON.stringify({ allowed, match, result }, undefined, 1)}`)
}
