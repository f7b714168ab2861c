import { compile } from "#core/promql/compiled.ts"
import { type Containment, containedInAny, contains } from "#core/promql/containment.ts"
import { searchNamed, withNameOf } from "#core/promql/named.ts"
import type { Matcher, Selector } from "#core/promql/selector.ts"
import { createOracle, type Oracle } from "./oracle.ts"
import type { Random } from "./random.ts"
import { LABELS, randomSelector } from "./random-selector.ts"

export interface Tally {
  readonly decisions: number
  readonly contained: number
  readonly notContained: number
  readonly undecidable: number
  /** Contained once series without a name are left out. */
  readonly named: number
}

export const NOTHING_YET: Tally = { decisions: 0, contained: 0, notContained: 0, undecidable: 0, named: 0 }

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
      if (random.chance(0.3) && judgeNamed(random, oracle, words, allowed.selector, match.selector)) tally.named++
      tally.decisions++
      if (result.kind === "contained") tally.contained++
      else if (result.kind === "not contained") tally.notContained++
      else tally.undecidable++
    })
  })
  return tally
}

const NAME = "__name__"
/** Of shared selectors: what a series without a name does not have. */
const NAMES = ['!=""', '=~".+"', '=~"(?s:.+)"', '!~"|a.*"', '=~"[a-z]+"', '="a"', '=~".*"'].map((text): Matcher => {
  const [, op = "", value = ""] = /^(\W+)"(.*)"$/.exec(text) ?? []
  return { label: NAME, op: op as Matcher["op"], value }
}) as [Matcher, ...Matcher[]]

/**
 * Whether a request is shared only because series without a name are never federated. Throws where what then is requested
 * upstream selects more than is shared, or less than the request among series that have a name of one line.
 */
function judgeNamed(
  random: Random,
  oracle: Oracle,
  words: readonly string[],
  others: Selector,
  requested: Selector,
): boolean {
  const allowed = [random.pick(NAMES), ...others.filter(({ label }) => label !== NAME)]
  const match = random.chance(0.5) ? requested : requested.filter(({ label }) => label !== NAME)
  if (match.length === 0) return false
  const shared = compile(allowed)
  const result = searchNamed([shared], compile(match), (one) => containedInAny([shared], one))
  if (result.kind !== "contained" || !result.named) return false
  const sent = withNameOf(allowed, match)
  if (contains(shared, compile(sent)).kind !== "contained") throw wrong("not shared", allowed, sent, result)
  judge(oracle, words, allowed, sent, { kind: "contained" })
  for (const [word, dotAll] of words.flatMap((one) => [[one, true] as const, [one, false] as const])) {
    if (word === "" || word.includes("\n")) continue
    const takes = (selector: Selector): boolean =>
      selector.every((matcher) => matcher.label !== NAME || oracle.accepts(matcher, word, dotAll))
    if (takes(sent) !== takes(match)) throw wrong(`less: ${JSON.stringify({ word, dotAll })}`, allowed, match, result)
  }
  return true
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

function wrong(what: string, allowed: Selector, match: Selector, result: object): Error {
  return new Error(`${what}: ${JSON.stringify({ allowed, match, result }, undefined, 1)}`)
}
