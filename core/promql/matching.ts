import { LRUCache } from "lru-cache"
import { compile, type CompiledMatcher } from "./compiled.ts"
import type { Budget } from "./regex/search.ts"
import type { RegexReading } from "./regex/program.ts"
import type { Selector } from "./selector.ts"

/** Selectors that are held against the labels of series. */
export interface SeriesMatching {
  /** Names of the labels that the selectors mention, each once. */
  readonly labels: readonly string[]
  /**
   * Whether one of them selects a series with these values of `labels`; the empty text stands for a label that it lacks,
   * as everywhere in Prometheus. Throws Undecidable beyond the budget.
   */
  matches(values: readonly string[], budget: Budget): boolean
  /** Whether one of them may select a metric of this name, whatever its other labels are. Throws Undecidable. */
  mayBeNamed(name: string, budget: Budget): boolean
}

/** As Prometheus 3 reads a dot; where letters fold, only what every version matches. */
const READING: RegexReading = { dotAll: true, bound: "at least" }
/** Verdicts of each expression; a client can make up any number of values. */
const KEPT = { max: 1000, longest: 200 }
const NAME = "__name__"

interface Condition {
  /** Index of its label. */
  readonly label: number
  readonly accepts: (value: string, budget: Budget) => boolean
}

/** Reads them once, for any number of series. What was found of a value is kept. */
export function matchingOf(selectors: readonly Selector[]): SeriesMatching {
  const labels = [...new Set(selectors.flatMap((selector) => selector.map(({ label }) => label)))]
  const compiled = selectors.map((selector) =>
    // what costs least comes first
    compile(selector)
      .matchers.toSorted((a, b) => costOf(a) - costOf(b))
      .map((matcher): Condition => ({ label: labels.indexOf(matcher.matcher.label), accepts: accepting(matcher) })),
  )
  const name = labels.indexOf(NAME)
  const byName = groupByName(selectors, compiled)
  const find = (metric: string, holds: (condition: Condition) => boolean): boolean => {
    const some = (conditions: readonly (readonly Condition[])[]): boolean =>
      conditions.some((all) => all.every((condition) => holds(condition)))
    return some(byName.named.get(metric) ?? []) || some(byName.others)
  }
  return {
    labels,
    matches: (values, budget) =>
      find(name === -1 ? "" : (values[name] ?? ""), ({ label, accepts }) => accepts(values[label] ?? "", budget)),
    mayBeNamed: (metric, budget) => find(metric, ({ label, accepts }) => label !== name || accepts(metric, budget)),
  }
}

/** A thousand selectors with a name each are not a thousand times the work. */
function groupByName(selectors: readonly Selector[], conditions: readonly (readonly Condition[])[]) {
  const named = new Map<string, (readonly Condition[])[]>()
  const others: (readonly Condition[])[] = []
  for (const [index, all] of conditions.entries()) {
    const value = selectors[index]?.find(({ label, op }) => label === NAME && op === "=")?.value
    if (value === undefined) others.push(all)
    else named.set(value, [...(named.get(value) ?? []), all])
  }
  return { named, others }
}

const isExpression = ({ matcher }: CompiledMatcher): boolean => matcher.op === "=~" || matcher.op === "!~"

const costOf = (matcher: CompiledMatcher): number => (isExpression(matcher) ? 1 : 0)

function accepting(matcher: CompiledMatcher): Condition["accepts"] {
  if (!isExpression(matcher)) return (value, budget) => matcher.accepts(value, READING, budget)
  const known = new LRUCache<string, boolean>({ max: KEPT.max })
  return (value, budget) => {
    const kept = known.get(value)
    if (kept !== undefined) return kept
    const accepts = matcher.accepts(value, READING, budget)
    if (value.length <= KEPT.longest) known.set(value, accepts)
    return accepts
  }
}
