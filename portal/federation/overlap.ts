import { compile, type CompiledSelector } from "#core/promql/compiled.ts"
import { contains } from "#core/promql/containment.ts"
import { parseSelector } from "#core/promql/parse.ts"
import type { Site } from "./sites.ts"

/** Two entries for one url whose selectors may select the same series. */
export interface Overlap {
  readonly site: Site
  readonly other: Site
  /** The selectors; undefined where there are too many to be compared. */
  readonly selectors: readonly [own: string, ofOther: string] | undefined
}

/** All comparisons together: the portal serves nothing meanwhile. Some 10,000 of expressions, a hundred times as many of words. */
const MOST_WORK = 1_000_000
const WORK_OF_EXPRESSIONS = 100

/** At most one for every two entries. */
export function overlaps(sites: readonly Site[]): readonly Overlap[] {
  const work = { left: MOST_WORK }
  const groups = Map.groupBy(sites, ({ url }) => url.href).values()
  return groups
    .flatMap((group) => {
      const known = group.length < 2 ? [] : group.map((site) => ({ site, selectors: selectorsOf(site) }))
      return known.flatMap((one, index) => known.slice(0, index).flatMap((other) => overlapOf(one, other, work) ?? []))
    })
    .toArray()
}

interface KnownSelector {
  readonly text: string
  readonly compiled: CompiledSelector
  readonly words: ReadonlyMap<string, string>
}

interface Known {
  readonly site: Site
  readonly selectors: readonly KnownSelector[]
}

const selectorsOf = ({ match }: Site): Known["selectors"] =>
  match.map((text) => {
    const compiled = compile(parseSelector(text))
    const equal = compiled.selector.filter(({ op }) => op === "=")
    return { text, compiled, words: new Map(equal.map(({ label, value }) => [label, value])) }
  })

function overlapOf({ site, selectors }: Known, { site: other, ...known }: Known, work: { left: number }) {
  for (const one of selectors) {
    if (work.left < 0) return { site, other, selectors: undefined }
    for (const another of known.selectors) {
      work.left -= 1
      // most of two long lists of names
      if (differ(one.words, another.words)) continue
      work.left -= WORK_OF_EXPRESSIONS
      if (!areDisjoint(one.compiled, another.compiled))
        return { site, other, selectors: [one.text, another.text] } satisfies Overlap
    }
  }
  return undefined
}

const differ = (one: KnownSelector["words"], other: KnownSelector["words"]): boolean =>
  one.entries().some(([label, word]) => (other.get(label) ?? word) !== word)

const NOTHING = compile([{ label: "__name__", op: "!~", value: ".*" }])

/** Proven: series that both select are contained in what selects none. */
const areDisjoint = (one: CompiledSelector, other: CompiledSelector): boolean =>
  contains(NOTHING, compile([...one.selector, ...other.selector])).kind === "contained"
