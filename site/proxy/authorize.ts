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
  const { shared } = client
  const asked: Selector[] = []
  const by = new Set<Shared>()
  for (const selector of selectors) {
    const verdict = verdictOn(client, selector)
    if (typeof verdict === "string") return { allowed: false, selector, reason: verdict }
    const containing = verdict === ADDED ? shared : shared.slice(verdict, verdict + 1)
    if (verdict === ADDED) asked.push(...shared.map((one) => canonical([...selector, ...one.selector])))
    else asked.push(selector)
    for (const one of containing) by.add(one)
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

/** What was decided, kept small: the number of the shared selector that contains it, ADDED, or why it is refused. */
type Verdict = number | string
/** Allowed with the shared matchers added to it. */
const ADDED = -1

/** Bytes of all verdicts, for all clients together: some 100,000 usual ones. */
const KEPT = 32_000_000
const verdicts = new Lru<string, Verdict>(KEPT, (key, verdict) => 200 + key.length + String(verdict).length)
/** Lists of shared selectors by number: another policy has other lists, and finds no verdict of the one before. */
const numbers = new WeakMap<Client["shared"], number>()
let lists = 0

function verdictOn(client: Client, selector: Selector): Verdict {
  let number = numbers.get(client.shared)
  if (number === undefined) numbers.set(client.shared, (number = ++lists))
  const key = `${number} ${printSelector(selector)}`
  const known = verdicts.get(key)
  if (known !== undefined) return known
  const verdict = judge(client, selector)
  verdicts.set(key, verdict)
  return verdict
}

function judge({ shared, enforce }: Client, selector: Selector): Verdict {
  const same = shared.findIndex((one) => sameSelector(one.selector, selector))
  if (same !== -1) return same
  const compiled = compile(selector)
  const allowed = shared.map((one) => compiledOf(one.selector))
  const result = containedInAny(allowed, compiled)
  if (result.kind === "contained") return allowed.indexOf(result.by)
  if (!enforce || shared.length === 0) return reasonOf(result.results, selector)
  // upstream would refuse it, with a text that nobody gets to see
  const invalid = compiled.matchers.filter(({ problem }) => problem("at most") instanceof InvalidRegex)
  return problemOf(invalid, "at most") ?? ADDED
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
