import { compile, problemOf } from "#core/promql/compiled.ts"
import { type Containment, containedInAny, contains } from "#core/promql/containment.ts"
import { InvalidRegex } from "#core/promql/regex/undecidable.ts"
import { canonical, printSelector, sameSelector, type Selector } from "#core/promql/selector.ts"
import { compiledOf } from "./policy/compiled.ts"
import { Lru } from "./policy/lru.ts"
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
  const kept = keptVerdicts(client)
  const asked: Selector[] = []
  const by = new Set<Shared>()
  for (const selector of selectors) {
    const verdict = kept(selector)
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

/** Characters of the texts asked, with what is kept beside each: some 100,000 usual ones. */
const KEPT = 64_000_000
const verdicts = new Lru<string, Verdict>(KEPT, (key) => 300 + 3 * key.length)
/** Lists of shared selectors by number: another policy has other lists, and finds no verdict of the one before. */
const numbers = new WeakMap<Client["shared"], number>()
let lists = 0

function keptVerdicts(client: Client): (selector: Selector) => Verdict {
  const number = numbers.get(client.shared) ?? ++lists
  numbers.set(client.shared, number)
  return (selector) => {
    const key = `${number} ${printSelector(selector)}`
    const known = verdicts.get(key)
    if (known !== undefined) return known
    const verdict = judge(client, selector)
    verdicts.set(key, verdict)
    return verdict
  }
}

type Verdict =
  | { readonly allowed: true; readonly selectors: readonly Selector[]; readonly by: readonly Shared[] }
  | { readonly allowed: false; readonly reason: string }

function judge({ shared, enforce }: Client, selector: Selector): Verdict {
  const same = shared.find((one) => sameSelector(one.selector, selector))
  if (same !== undefined) return { allowed: true, selectors: [selector], by: [same] }
  const compiled = compile(selector)
  const allowed = shared.map((one) => compiledOf(one.selector))
  const result = containedInAny(allowed, compiled)
  if (result.kind === "contained") {
    const by = shared.filter((_, index) => allowed[index] === result.by)
    return { allowed: true, selectors: [selector], by: by.slice(0, 1) }
  }
  if (!enforce || shared.length === 0) return { allowed: false, reason: reasonOf(result.results, selector) }
  // upstream would refuse it, with a text that nobody gets to see
  const invalid = compiled.matchers.filter(({ problem }) => problem("at most") instanceof InvalidRegex)
  const reason = problemOf(invalid, "at most")
  if (reason !== undefined) return { allowed: false, reason }
  const selectors = shared.map((one) => canonical([...selector, ...one.selector]))
  return { allowed: true, selectors, by: shared }
}

/** For each selector that is shared, why it does not cover another. */
export function explainRefusal({ shared }: Client, selector: Selector) {
  const compiled = compile(selector)
  return shared.map((one) => {
    const result = contains(compiledOf(one.selector), compiled)
    return { shared: one, reason: reasonOf([result], selector) }
  })
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
