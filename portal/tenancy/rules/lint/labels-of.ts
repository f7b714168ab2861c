import type { Aggregation, Binary, Call, Expression, VectorSelector } from "#core/promql/expressions/expression.ts"
import { fold } from "#core/promql/expressions/fold.ts"
import { operandsOf } from "#core/promql/expressions/operands.ts"
import { ANY, both, either, type Labels, NONE, only, withCertain, without, withPossible } from "./labels.ts"
import { acceptsEmpty } from "./matchers.ts"

/** Of an expression and all within, the labels of their series: never too few that are possible, nor too many that are certain. */
export function labelsOf(root: Expression): ReadonlyMap<Expression, Labels> {
  const found = new Map<Expression, Labels>()
  fold<Expression, Labels>(root, operandsOf, (expression, operands) => {
    const labels = labelsOfOne(expression, operands)
    found.set(expression, labels)
    return labels
  })
  return found
}

function labelsOfOne(expression: Expression, operands: readonly Labels[]): Labels {
  switch (expression.kind) {
    case "number":
    case "string":
      return NONE
    case "selector":
      return ofSelector(expression)
    case "call":
      return ofCall(expression, operands)
    case "aggregation":
      return ofAggregation(expression, operands.at(-1) ?? ANY)
    case "binary":
      return ofBinary(expression, operands[0] ?? ANY, operands[1] ?? ANY)
    case "subquery":
    case "unary":
    case "parenthesis":
  }
  return operands[0] ?? ANY
}

function ofSelector({ matchers }: VectorSelector): Labels {
  const named = matchers.filter(({ label }) => label !== "__name__")
  const absent = named.filter(({ op, value }) => op === "=" && value === "").map(({ label }) => label)
  const present = named.filter((matcher) => !acceptsEmpty(matcher)).map(({ label }) => label)
  return { any: true, names: new Set(absent), certain: new Set(present) }
}

/** Functions whose result has other labels than what they are applied to. */
function ofCall(call: Call, operands: readonly Labels[]): Labels {
  const [first, second] = call.arguments
  const vectors = operands.filter((_, index) => /vector|matrix/.test(call.arguments[index]?.type ?? ""))
  const labels = vectors[0] ?? NONE
  switch (call.name) {
    case "absent":
    case "absent_over_time":
      return ofAbsent(first)
    case "info":
      return { ...ANY, certain: labels.certain }
    case "label_replace":
    case "label_join":
      return second?.kind === "string" ? withPossible(labels, [second.value]) : ANY
    case "histogram_quantile":
    case "histogram_quantiles":
    case "histogram_fraction":
      // one label is that of the quantile, and le goes
      return second?.kind === "string"
        ? withCertain(withPossible(labels, ["le"]), [second.value])
        : withPossible(labels, ["le"])
    case "scalar":
    case "vector":
      return NONE
    default:
      return labels
  }
}

/** The labels that equality gives it; a label that is matched twice is left out. */
function ofAbsent(of: Expression | undefined): Labels {
  if (of?.kind === "parenthesis") return { ...ANY }
  if (of?.kind !== "selector") return NONE
  const { matchers } = of
  const names = matchers
    .filter(({ label, op, value }) => op === "=" && label !== "__name__" && value !== "")
    .map(({ label }) => label)
    .filter((label) => matchers.filter((other) => other.label === label).length === 1)
  return { any: false, names: new Set(names), certain: new Set(names) }
}

export const SAMPLING: ReadonlySet<string> = new Set(["topk", "bottomk", "limitk", "limit_ratio"])

function ofAggregation({ operator, grouping, parameter }: Aggregation, of: Labels): Labels {
  if (SAMPLING.has(operator)) return of
  const grouped =
    grouping === undefined ? NONE : grouping.mode === "by" ? only(of, grouping.labels) : without(of, grouping.labels)
  if (operator !== "count_values") return grouped
  return parameter?.kind === "string" ? withCertain(grouped, [parameter.value]) : ANY
}

function ofBinary({ operator, left, right, matching }: Binary, ofLeft: Labels, ofRight: Labels): Labels {
  if (left.type !== "vector") return right.type === "vector" ? ofRight : NONE
  if (right.type !== "vector" || operator === "and" || operator === "unless") return ofLeft
  if (operator === "or") return either(ofLeft, ofRight)
  // what is filled in for a series that is missing has fewer
  if (matching?.fill !== undefined) return { ...ANY }
  const { mode = "ignoring", labels = [], group, include = [] } = matching ?? {}
  if (group === undefined) {
    return mode === "on" ? only(both(ofLeft, ofRight), labels) : without(both(ofLeft, ofRight), labels)
  }
  const [many, one] = group === "left" ? [ofLeft, ofRight] : [ofRight, ofLeft]
  const included = only(one, include)
  return withCertain(withPossible(without(many, include), [...included.names]), [...included.certain])
}
