import { compile, type CompiledSelector, problemOf } from "#core/promql/compiled.ts"
import {
  type Authorisation,
  type Containment,
  containedInAny,
  containedInAnyWithin,
  contains,
} from "#core/promql/containment.ts"
import { InvalidRegex } from "#core/promql/regex/undecidable.ts"
import { canonical, printSelector, sameSelector, type Selector } from "#core/promql/selector.ts"
import { compiledOf } from "./policy/compiled.ts"
import { Lru } from "./policy/lru.ts"
import type { Client, Shared } from "./policy/types.ts"

/** What becomes of a request: what is asked upstream and by which shared selectors, or what is refused and why. */
export type Decision =
  | { readonly allowed: true; readonly selectors: readonly Selector[]; readonly by: readonly Shared[] }
  | { readonly allowed: false; readonly selector: Selector; readonly reason: string }

/** Selectors of one request upstream, where matchers are added. */
const MOST_SELECTORS = 256

/** Decides whether a client may read all that the selectors select. */
export function authorize(client: Client, selectors: readonly Selector[]): Decision {
  const deciding = decide(client, selectors)
  let step = deciding.next()
  while (step.done !== true) step = deciding.next(judge(client, step.value))
  return step.value
}

export type JudgeElsewhere = (client: Client, selector: Selector) => Promise<Verdict>

/** The same, but what takes work is left to `judgeElsewhere`; a promise only where there is such. */
export function authorizeSoon(
  client: Client,
  selectors: readonly Selector[],
  judgeElsewhere: JudgeElsewhere,
): Decision | Promise<Decision> {
  const deciding = decide(client, selectors)
  const first = deciding.next()
  if (first.done === true) return first.value
  return (async () => {
    let step: IteratorResult<Selector, Decision> = first
    while (step.done !== true) step = deciding.next(await judgeOnce(client, step.value, judgeElsewhere))
    return step.value
  })()
}

/** Verdicts that are on their way, by the key under which they will be kept. */
const underWay = new Map<string, Promise<Verdict>>()

function judgeOnce(client: Client, selector: Selector, judgeElsewhere: JudgeElsewhere): Promise<Verdict> {
  const key = keyOf(client, selector)
  const known = underWay.get(key)
  if (known !== undefined) return known
  const made = judgeElsewhere(client, selector).finally(() => underWay.delete(key))
  underWay.set(key, made)
  return made
}

/** Asks for the verdict on each selector that takes work. */
function* decide(client: Client, selectors: readonly Selector[]): Generator<Selector, Decision, Verdict> {
  const { shared } = client
  const asked: Selector[] = []
  const by = new Set<Shared>()
  for (const selector of selectors) {
    const key = keyOf(client, selector)
    let verdict = verdicts.get(key)
    if (verdict === undefined) {
      verdict = judgeQuickly(client, selector) ?? (yield selector)
      // the thread that decides may be younger than this process, and of another version
      if (typeof verdict !== "string" && verdict !== ADDED && shared[verdict] === undefined) {
        throw new Error(`no verdict about ${printSelector(selector)}: ${verdict}`)
      }
      verdicts.set(key, verdict)
    }
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
export type Verdict = number | string
/** Allowed with the shared matchers added to it. */
const ADDED = -1

/** Bytes of all verdicts, for all clients together: some 100,000 usual ones. */
const KEPT = 32_000_000
const verdicts = new Lru<string, Verdict>(KEPT, (key, verdict) => 200 + key.length + String(verdict).length)
/** Lists of shared selectors by number: another policy has other lists, and finds no verdict of the one before. */
const numbers = new WeakMap<Client["shared"], number>()
let lists = 0

function keyOf({ shared }: Client, selector: Selector): string {
  let number = numbers.get(shared)
  if (number === undefined) numbers.set(shared, (number = ++lists))
  return `${number} ${printSelector(selector)}`
}

/** What a verdict depends on. */
export type Grant = Pick<Client, "enforce"> & { readonly shared: readonly Pick<Shared, "selector">[] }

/** Characters of expressions, and steps of comparing: a millisecond or two. */
const SHORT = 500
const FEW_STEPS = 10_000

/** Undefined where it would take long. */
function judgeQuickly(grant: Grant, selector: Selector): Verdict | undefined {
  const same = grant.shared.findIndex((one) => sameSelector(one.selector, selector))
  if (same !== -1) return same
  const expressions = selector.filter(({ op }) => op === "=~" || op === "!~")
  if (expressions.reduce((sum, { value }) => sum + value.length, 0) > SHORT) return undefined
  const compiled = compile(selector)
  const allowed = grant.shared.map((one) => compiledOf(one.selector))
  const result = containedInAnyWithin(FEW_STEPS, allowed, compiled)
  return result && verdictOf(result, grant, selector, allowed, compiled)
}

/** With all the work it takes: a second or two at most. */
export function judge(grant: Grant, selector: Selector): Verdict {
  const compiled = compile(selector)
  const allowed = grant.shared.map((one) => compiledOf(one.selector))
  return verdictOf(containedInAny(allowed, compiled), grant, selector, allowed, compiled)
}

function verdictOf(
  result: Authorisation,
  { shared, enforce }: Grant,
  selector: Selector,
  allowed: readonly CompiledSelector[],
  compiled: CompiledSelector,
): Verdict {
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
