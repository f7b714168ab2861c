import { compile, problemOf } from "#core/promql/compiled.ts"
import { type Containment, containedInAny } from "#core/promql/containment.ts"
import { InvalidRegex } from "#core/promql/regex/undecidable.ts"
import { canonical, printSelector, type Selector } from "#core/promql/selector.ts"
import type { Client, Shared } from "./policy/types.ts"

/** What becomes of a request: what is asked upstream and by which shared selectors, or what is refused and why. */
export type Decision =
  | { readonly allowed: true; readonly selectors: readonly Selector[]; readonly by: readonly Shared[] }
  | { readonly allowed: false; readonly selector: Selector; readonly reason: string }

export type Authorize = (client: Client, selectors: readonly Selector[]) => Decision

/** Selectors of one request upstream, where matchers are added. */
const MOST_SELECTORS = 256

/** Decides whether a client may read all that the selectors select. */
export const authorize: Authorize = (client, selectors) => {
  const asked: Selector[] = []
  const by = new Set<Shared>()
  for (const selector of selectors) {
    const verdict = judge(client, selector)
    if (!verdict.allowed) return { allowed: false, selector, reason: verdict.reason }
    asked.push(...verdict.selectors)
    for (const shared of verdict.by) by.add(shared)
  }
  const distinct = distinctSelectors(asked)
  const [first] = selectors
  if (distinct.length > MOST_SELECTORS && first !== undefined) {
    const reason = `with the shared matchers added, ${distinct.length} selectors would be asked; ${MOST_SELECTORS} at most`
    return { allowed: false, selector: first, reason }
  }
  return { allowed: true, selectors: distinct, by: [...by] }
}

/** Each once, in one order: the same request upstream however it was asked. */
export function distinctSelectors(selectors: readonly Selector[]): readonly Selector[] {
  const byText = new Map(selectors.map((selector) => [printSelector(selector), selector]))
  return [...byText].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, selector]) => selector)
}

type Verdict =
  | { readonly allowed: true; readonly selectors: readonly Selector[]; readonly by: readonly Shared[] }
  | { readonly allowed: false; readonly reason: string }

function judge({ shared, enforce }: Client, selector: Selector): Verdict {
  const compiled = compile(selector)
  const allowed = shared.map((one) => one.compiled)
  const result = containedInAny(allowed, compiled)
  if (result.kind === "contained") {
    return { allowed: true, selectors: [selector], by: shared.filter((one) => one.compiled === result.by) }
  }
  if (!enforce) return { allowed: false, reason: reasonOf(result.results, selector) }
  // upstream would refuse it, with a text that nobody gets to see
  const invalid = compiled.matchers.filter(({ problem }) => problem("at most") instanceof InvalidRegex)
  const reason = problemOf(invalid, "at most")
  if (reason !== undefined) return { allowed: false, reason }
  const selectors = shared.map((one) => canonical([...selector, ...one.compiled.selector]))
  return { allowed: true, selectors, by: shared }
}

/** One reason of many: where something could not be decided, that; else the first witness. */
function reasonOf(results: readonly Containment[], selector: Selector): string {
  const undecidable = results.find((result) => result.kind === "undecidable")
  if (undecidable !== undefined) return undecidable.reason
  const witnessed = results.find((result) => result.kind === "not contained")
  if (witnessed === undefined) return "nothing is shared"
  const { label, witness } = witnessed
  if (witness !== "") return `its ${label} may be ${JSON.stringify(witness)}`
  return selector.some((matcher) => matcher.label === label)
    ? `its series may lack the label ${label}`
    : `it does not say which ${label}`
}
