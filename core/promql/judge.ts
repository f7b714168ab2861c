import { LRUCache } from "lru-cache"
import { compile, type CompiledSelector } from "./compiled.ts"
import { type Containment, containedInAny, containedInAnyWithin, contains } from "./containment.ts"
import { type NamedAuthorisation, searchNamed, withNameOf } from "./named.ts"
import { canonical, sameSelector, type Selector } from "./selector.ts"

/** What a verdict depends on. */
export interface AllowedSelectors {
  readonly shared: readonly { readonly selector: Selector }[]
  /** Requests get the shared matchers added instead of being refused. */
  readonly enforce: boolean
}

/** Kept small: the index of the shared selector that contains the requested one, ADDED, NAMED less an index, or why it is refused. */
export type SelectorVerdict = number | string
/** Allowed with the shared matchers added to it. */
export const ADDED = -1
/** Less the index: allowed with the name's matchers of this shared selector added to it. */
const NAMED = -2

/** What to request for a selector, and which shared ones allow it. Undefined where no verdict about this list is such a number. */
export function allowedBy<S extends AllowedSelectors["shared"][number]>(
  verdict: number,
  shared: readonly S[],
  selector: Selector,
): { readonly selectors: readonly Selector[]; readonly by: readonly S[] } | undefined {
  if (verdict === ADDED) {
    return { selectors: shared.map((one) => canonical([...selector, ...one.selector])), by: shared }
  }
  const one = shared[verdict < 0 ? NAMED - verdict : verdict]
  return one && { selectors: [verdict < 0 ? withNameOf(one.selector, selector) : selector], by: [one] }
}

export type Compiler = ReturnType<typeof createCompiler>

const MOST_COMPILED = 2000

/** Compiles selectors, and keeps those that were used last: a large policy has more automata than memory should hold. */
export function createCompiler() {
  const compiled = new LRUCache<Selector, CompiledSelector>({ max: MOST_COMPILED })
  return (selector: Selector): CompiledSelector => {
    const known = compiled.get(selector)
    if (known !== undefined) return known
    const made = compile(selector)
    compiled.set(selector, made)
    return made
  }
}

/** Characters of expressions, and steps of comparing: a millisecond or two. */
const SHORT = 500
const FEW_STEPS = 10_000

/** Undefined where it would take long. */
export function judgeQuickly(
  allowed: AllowedSelectors,
  selector: Selector,
  compiler: Compiler,
): SelectorVerdict | undefined {
  const same = allowed.shared.findIndex((one) => sameSelector(one.selector, selector))
  if (same !== -1) return same
  if (allowed.shared.length > MOST_COMPILED) return undefined
  const expressions = selector.filter(({ op }) => op === "=~" || op === "!~")
  if (expressions.reduce((sum, { value }) => sum + value.length, 0) > SHORT) return undefined
  const compiled = compile(selector)
  const shared = allowed.shared.map((one) => compiler(one.selector))
  const result = searchNamed(shared, compiled, (match) => containedInAnyWithin(FEW_STEPS, shared, match))
  return result && verdictOf(result, allowed, compiled)
}

/** With all the work it takes: a second or two at most. */
export function judge(allowed: AllowedSelectors, selector: Selector, compiler: Compiler): SelectorVerdict {
  const compiled = compile(selector)
  const shared = allowed.shared.map((one) => compiler(one.selector))
  return verdictOf(
    searchNamed(shared, compiled, (match) => containedInAny(shared, match)),
    allowed,
    compiled,
  )
}

function verdictOf(
  result: NamedAuthorisation,
  { enforce, shared }: AllowedSelectors,
  compiled: CompiledSelector,
): SelectorVerdict {
  if (result.kind === "contained") return result.named ? NAMED - result.index : result.index
  if (!enforce || shared.length === 0) return reasonOf(result.results, compiled.selector)
  // upstream would refuse it, with a text that is not passed on
  return compiled.invalid ?? ADDED
}

/** For each shared selector, why it does not contain another. */
export function explainRefusal<S extends AllowedSelectors["shared"][number]>(
  shared: readonly S[],
  selector: Selector,
): readonly { readonly shared: S; readonly reason: string }[] {
  const compiled = compile(selector)
  return shared.map((one) => ({ shared: one, reason: reasonOf(refusalsBy(one.selector, compiled), selector) }))
}

function refusalsBy(shared: Selector, match: CompiledSelector): readonly Containment[] {
  const allowed = compile(shared)
  const result = searchNamed([allowed], match, (one) => ({ kind: "refused", results: [contains(allowed, one)] }))
  return result.kind === "refused" ? result.results : []
}

/** One reason of many: where something could not be decided, that; else the first witness. */
function reasonOf(results: readonly Containment[], selector: Selector): string {
  const undecidable = results.find((result) => result.kind === "undecidable")
  if (undecidable !== undefined) return undecidable.reason
  const witnessed = results.find((result) => result.kind === "not contained")
  if (witnessed === undefined) return "nothing is shared"
  const { label, witness } = witnessed
  if (witness !== "") return `it selects ${label}=${JSON.stringify(witness)}`
  return selector.some((matcher) => matcher.label === label)
    ? `it selects series without the label ${label}`
    : `it does not restrict ${label}`
}
