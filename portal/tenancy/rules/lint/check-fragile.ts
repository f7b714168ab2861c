import type { Aggregation, Expression } from "#core/promql/expressions/expression.ts"
import { operandsOf } from "#core/promql/expressions/operands.ts"
import type { Finding } from "./finding.ts"
import type { Labels } from "./labels.ts"
import { SAMPLING } from "./labels-of.ts"

/** Alerts of which others fire each time, as what they select is now this and now that. */
export function checkFragile(root: Expression, labels: ReadonlyMap<Expression, Labels>): readonly Finding[] {
  const found: Finding[] = []
  const seen = [root]
  for (const expression of seen) {
    const { any = true, names = new Set() } = labels.get(expression) ?? {}
    // one series without labels remains the same, whatever it was made of
    if (!any && names.size === 0) continue
    if (expression.kind === "aggregation" && SAMPLING.has(expression.operator) && !picksOne(expression)) {
      const message = `${expression.operator} selects other series each time, so alerts come and go: compare with a limit instead`
      found.push({ check: "promql/fragile", span: expression, message })
    }
    seen.push(...labelled(expression))
  }
  return found
}

/** One of each group, where there should be no more: so that a join finds one. */
function picksOne({ parameter, grouping }: Aggregation): boolean {
  return grouping !== undefined && parameter?.kind === "number" && parameter.value === 1
}

/** The operands that alerts have their labels from. */
function labelled(expression: Expression): readonly Expression[] {
  if (expression.kind !== "binary" || expression.operator === "or") return operandsOf(expression)
  const { left, right, matching } = expression
  return [left.type !== "vector" || matching?.group === "right" ? right : left]
}
