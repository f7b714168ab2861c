import type { Aggregation, Binary, Expression, VectorSelector } from "#core/promql/expressions/expression.ts"
import { quote } from "../../tenants/quote.ts"
import type { Finding } from "./finding.ts"
import { ANY, type Labels, mayHave } from "./labels.ts"
import { mayAccept } from "./matchers.ts"
import { alwaysIs, COMPARISONS } from "./values.ts"
import { allWithin } from "./walk.ts"

/** What can never have a result, or never has the labels that it is grouped or joined by. */
export function checkImpossible(root: Expression, labels: ReadonlyMap<Expression, Labels>): readonly Finding[] {
  const of = (expression: Expression): Labels => labels.get(expression) ?? ANY
  return allWithin(root).flatMap((expression) =>
    messages(expression, of).map((message) => ({ check: "promql/impossible" as const, span: expression, message })),
  )
}

function messages(expression: Expression, of: (expression: Expression) => Labels): readonly string[] {
  if (expression.kind === "selector") return contradictions(expression)
  if (expression.kind === "aggregation") return lostGrouping(expression, of(expression.of))
  if (expression.kind !== "binary") return []
  return [...neverTrue(expression), ...neverMatches(expression, of)]
}

function contradictions({ matchers }: VectorSelector): readonly string[] {
  const found = matchers.flatMap((equal) => {
    if (equal.op !== "=") return []
    const against = matchers.find((other) => other.label === equal.label && !mayAccept(other, equal.value))
    if (against === undefined) return []
    return [`selects nothing: ${shown(equal)} contradicts ${shown(against)}`]
  })
  const nothing = matchers.filter(({ op, value }) => op === "!~" && /^\(?\.\*\)?$/.test(value))
  return [...found.slice(0, 1), ...nothing.map((matcher) => `selects nothing: ${shown(matcher)} refuses every value`)]
}

const shown = ({ label, op, value }: VectorSelector["matchers"][number]): string => `${label}${op}${quote(value)}`

function lostGrouping({ operator, grouping }: Aggregation, of: Labels): readonly string[] {
  if (grouping?.mode !== "by") return []
  return grouping.labels
    .filter((label) => !mayHave(of, label))
    .map((label) => `${operator} by (${label}): what it aggregates cannot have the label ${label}`)
}

function neverTrue({ operator, left, right, returnsBool }: Binary): readonly string[] {
  if (returnsBool || !COMPARISONS.has(operator) || alwaysIs(operator, left, right) !== false) return []
  const hint = countHint(left) ?? countHint(right) ?? ""
  return [`is never true${hint}`]
}

function countHint(expression: Expression): string | undefined {
  const name =
    expression.kind === "aggregation" ? expression.operator : expression.kind === "call" ? expression.name : ""
  if (name.startsWith("count")) return `: ${name} of nothing has no result, and not 0; use absent()`
  return name.startsWith("absent") ? `: ${name}() has the value 1, or no result` : undefined
}

function neverMatches(binary: Binary, of: (expression: Expression) => Labels): readonly string[] {
  const { operator, left, right, matching } = binary
  if (left.type !== "vector" || right.type !== "vector" || operator === "or" || matching?.fill !== undefined) return []
  const sides = [
    { side: "left", has: of(left), other: of(right) },
    { side: "right", has: of(right), other: of(left) },
  ]
  if (matching?.mode === "on") {
    return matching.labels.flatMap((label) =>
      sides
        .filter(({ has, other }) => !mayHave(has, label) && mayHave(other, label))
        .map(({ side }) => `on (${label}): the ${side} side cannot have the label ${label}`),
    )
  }
  const ignored = matching?.labels ?? []
  const found = sides.flatMap(({ side, has, other }) => {
    const label = other.certain
      .difference(new Set(ignored))
      .values()
      .find((name) => !mayHave(has, name))
    if (label === undefined) return []
    const fix = `match on (…) or ignoring (${label})`
    return [
      `the sides never match: the ${side} side cannot have the label ${label}, which the other always has; ${fix}`,
    ]
  })
  return found.slice(0, 1)
}
