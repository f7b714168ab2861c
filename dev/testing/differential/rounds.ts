import { canonical, type Matcher, type MatchOp, type Selector } from "#core/promql/selector.ts"
import { nearMissOf } from "../../fuzz/near-miss.ts"
import type { Random } from "../../fuzz/random.ts"
import { type RandomSelector, randomSelector } from "../../fuzz/random-selector.ts"
import { spellQuery, spellSelector } from "../../fuzz/random-spelling.ts"

/** undefined: no matcher, which selects series without a name too, but these are never federated. */
type Names = readonly [Matcher, Matcher | undefined, ...(Matcher | undefined)[]]

/** What may stand for a shared name, and names that select less. */
const NAMES: readonly [Names, ...Names[]] = [
  [name("=~", "m_.+"), name("=", "m_a"), name("=~", "m_(a|b)"), name("=~", "m_a.*")],
  [name("=~", "m_(a|ab)"), name("=", "m_ab"), name("=~", "m_ab?$")],
  [name("!=", "m_b"), name("=", "m_a"), name("!~", "m_b.*"), name("=~", "m_")],
  [name("=", "m_a"), name("=~", "m_a|m_a"), name("=~", "m_[a]")],
  [name("!=", ""), undefined, name("!=", "m_b"), name("=~", "m_.*|"), name("!~", "m_b.*")],
  [name("=~", ".+"), undefined, name("=~", ".*"), name("!=", "m_ab")],
  [name("!~", "|up"), name("!=", "up"), name("!~", "up|m_b"), name("=~", "m_.*|")],
]

function name(op: MatchOp, value: string): Matcher {
  return { label: "__name__", op, value }
}

/** `n` takes any value in every version; metric names don't. */
const LABELS: Readonly<Record<string, string>> = { __name__: "n", job: "j", x: "x" }

interface Shared {
  readonly selector: Selector
  /** A request for some of it, known by how it was made. */
  narrower(): Selector
}

/** What one client may read, and what to request. */
export interface Round {
  readonly shared: readonly [Shared, ...Shared[]]
  /** One for each that is shared, which contains it. */
  readonly ceiling: readonly [Selector, ...Selector[]]
  /** Label values at the borders of what is shared. */
  readonly words: readonly [string, ...string[]]
}

/** What many series have whatever is drawn: random rounds may share next to nothing. */
const PLAIN: Round = {
  shared: [
    {
      selector: canonical([name("=~", "m_a|m_ab"), { label: "j", op: "!=", value: "b" }]),
      narrower: () => [name("=", "m_ab"), { label: "j", op: "=~", value: "a|" }],
    },
  ],
  ceiling: [canonical([{ label: "j", op: "!=", value: "b" }])],
  words: ["", "a", "b"],
}

/** So many, one of them of plain words. */
export const randomRounds = (random: Random, count: number): readonly Round[] => [
  ...Array.from({ length: count - 1 }, () => randomRound(random)),
  PLAIN,
]

function randomRound(random: Random): Round {
  const wide = [sharable(random), ...Array.from({ length: random.below(3) }, () => sharable(random))] as const
  const less = (one: RandomSelector): RandomSelector => {
    const narrower = one.narrower()
    return random.chance(0.5) || folds(narrower) ? one : narrower
  }
  const share = (one: RandomSelector): Shared => {
    const names = random.chance(0.6) ? random.pick(NAMES) : undefined
    return {
      selector: canonical([...(names === undefined ? [] : [names[0]]), ...renamed(one)]),
      narrower: () => {
        const picked = names === undefined ? undefined : random.pick(names)
        return [...(picked === undefined ? [] : [picked]), ...renamed(less(one))]
      },
    }
  }
  const [first, ...more] = wide
  const [firstLess, ...moreLess] = [less(first), ...more.map(less)] as const
  return {
    shared: [share(firstLess), ...moreLess.map(share)],
    ceiling: [canonical(renamed(first)), ...more.map((one) => canonical(renamed(one)))],
    words: ["", ...[...wide, firstLess, ...moreLess].flatMap((one) => [...one.words(), ...one.narrower().words()])],
  }
}

/** Folded letters are undecided on purpose: versions read them differently, see docs/containment.md. */
function folds({ selector }: RandomSelector): boolean {
  return selector.some(({ value }) => /\(\?i|\[aA\]/.test(value))
}

function sharable(random: Random): RandomSelector {
  for (;;) {
    const selector = randomSelector(random)
    if (!folds(selector)) return selector
  }
}

function renamed({ selector }: RandomSelector): Selector {
  return selector.map((matcher) => ({ ...matcher, label: LABELS[matcher.label] ?? matcher.label }))
}

/** As many series for each round, of values at the borders of what is shared. */
export function exposition(random: Random, rounds: readonly Round[], each: number): string {
  const escape = (value: string) => value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")
  const lines = rounds.flatMap(({ words }, round) =>
    Array.from({ length: each }, (_, index) => {
      const labels = Object.values(LABELS).map((label) => [label, random.pick(words)] as const)
      const pairs = labels.filter(([, value]) => value !== "").map(([label, value]) => `${label}="${escape(value)}",`)
      return `${random.pick(["m_a", "m_b", "m_ab", "m_"])}{${pairs.join("")}id="${round}-${index}"} ${index}\n`
    }),
  )
  return lines.join("")
}

interface Part {
  readonly selector: Selector
  /** Made so that it must be contained. */
  readonly narrow: boolean
}

export interface RandomRequest {
  readonly parts: readonly Part[]
  /** Letter by letter. */
  readonly query: string
}

export function randomRequest(random: Random, { shared, ceiling }: Round): RandomRequest {
  const parts = Array.from({ length: random.chance(0.7) ? 1 : 2 + random.below(2) }, () => {
    const one = random.pick(shared)
    const narrow = one.narrower()
    if (random.chance(0.45)) return { selector: narrow, narrow: true }
    if (random.chance(0.1)) return { selector: random.pick(ceiling), narrow: false }
    if (random.chance(0.1)) return { selector: renamed(randomSelector(random)), narrow: false }
    return { selector: nearMissOf(random, random.chance(0.5) ? narrow : one.selector), narrow: false }
  })
  const texts = parts.map(({ selector }) => spellSelector(random, selector))
  return { parts, query: spellQuery(random, texts) }
}
