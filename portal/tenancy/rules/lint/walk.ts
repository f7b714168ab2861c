import type { Expression } from "#core/promql/expressions/expression.ts"
import { operandsOf } from "#core/promql/expressions/operands.ts"

/** It and all within, in no order. Without recursion, since expressions are nested thousands deep. */
export function allWithin(root: Expression): readonly Expression[] {
  const found = [root]
  for (const expression of found) found.push(...operandsOf(expression))
  return found
}

export function withoutParentheses(expression: Expression): Expression {
  let inner = expression
  while (inner.kind === "parenthesis") inner = inner.of
  return inner
}
