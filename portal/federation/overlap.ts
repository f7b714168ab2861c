import { compile, type CompiledSelector } from "#core/promql/compiled.ts"
import { contains } from "#core/promql/containment.ts"
import { parseSelector } from "#core/promql/parse.ts"
import type { Site } from "./sites.ts"

/** Two entries for one url whose selectors may select the same series, with the selectors. */
export interface Overlap {
  readonly site: Site
  readonly other: Site
  readonly match: string
  readonly otherMatch: string
}

/** At most one for every two entries. */
export function overlaps(sites: readonly Site[]): readonly Overlap[] {
  const groups = Map.groupBy(sites, ({ url }) => url.href).values()
  return groups
    .flatMap((group) => {
      const known = group.length < 2 ? [] : group.map((site) => ({ site, selectors: selectorsOf(site) }))
      return known.flatMap((one, index) => known.slice(0, index).flatMap((other) => overlapOf(one, other) ?? []))
    })
    .toArray()
}

interface Known {
  readonly site: Site
  readonly selectors: readonly { readonly text: string; readonly compiled: CompiledSelector }[]
}

const selectorsOf = ({ match }: Site): Known["selectors"] =>
  match.map((text) => ({ text, compiled: compile(parseSelector(text)) }))

function overlapOf({ site, selectors }: Known, other: Known): Overlap | undefined {
  for (const { text, compiled } of selectors) {
    const same = other.selectors.find((one) => !areDisjoint(compiled, one.compiled))
    if (same !== undefined) return { site, other: other.site, match: text, otherMatch: same.text }
  }
  return undefined
}

const NOTHING = compile([{ label: "__name__", op: "!~", value: ".*" }])

/** Proven: series that both select are contained in what selects none. */
function areDisjoint(one: CompiledSelector, other: CompiledSelector): boolean {
  const words = ({ selector }: CompiledSelector) => selector.filter(({ op }) => op === "=")
  // most of two long lists of names
  if (words(one).some(({ label, value }) => words(other).some((word) => word.label === label && word.value !== value)))
    return true
  return contains(NOTHING, compile([...one.selector, ...other.selector])).kind === "contained"
}
