import { LRUCache } from "lru-cache"
import { compile, type CompiledSelector } from "./compiled.ts"
import { type Authorisation, type Containment, containedInAny, containedInAnyWithin, contains } from "./containment.ts"
import { sameSelector, type Selector } from "./selector.ts"

/** What a verdict depends on. */
export interface AllowedSelectors {
  readonly shared: readonly { readonly selector: Selector }[]
  /** Requests get the shared matchers added instead of being refused. */
  readonly enforce: boolean
}

/** Kept small: the index of the shared selector that contains the requested one, ADDED, or why it is refused. */
export type SelectorVerdict = number | string
/** Allowed with the shared matchers added to it. */
export const ADDED = -1

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
  const expressions = selector.filter(({ op }) => op === "=~" || op === "!~")
  if (expressions.reduce((sum, { value }) => sum + value.length, 0) > SHORT) return undefined
  const compiled = compile(selector)
  const shared = allowed.shared.map((one) => compiler(one.selector))
  const result = containedInAnyWithin(FEW_STEPS, shared, compiled)
  return result && verdictOf(result, allowed, compiled)
}

/** With all the work it takes: a second or two at most. */
export function judge(allowed: AllowedSelectors, selector: Selector, compiler: Compiler): SelectorVerdict {
  const compiled = compile(selector)
  const shared = allowed.shared.map((one) => compiler(one.selector))
  return verdictOf(containedInAny(shared, compiled), allowed, compiled)
}

function verdictOf(
  result: Authorisation,
  { enforce, shared }: AllowedSelectors,
  compiled: CompiledSelector,
): SelectorVerdict {
  if (result.kind === "contained") return result.index
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
  return shared.map((one) => ({
    shared: one,
    reason: reasonOf([contains(compile(one.selector), compiled)], selector),
  }))
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
