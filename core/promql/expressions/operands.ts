import type { Expression } from "./expression.ts"

/** The expressions directly within, in the order of the text. */
export function operandsOf(expression: Expression): readonly Expression[] {
  switch (expression.kind) {
    case "number":
    case "string":
    case "selector":
      return []
    case "call":
      return expression.arguments
    case "aggregation":
      return expression.parameter === undefined ? [expression.of] : [expression.parameter, expression.of]
    case "binary":
      return [expression.left, expression.right]
    case "subquery":
    case "unary":
    case "parenthesis":
  }
  return [expression.of]
}
