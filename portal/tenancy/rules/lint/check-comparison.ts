import type { Binary, Expression, Span, VectorSelector } from "#core/promql/expressions/expression.ts"
import { fold } from "#core/promql/expressions/fold.ts"
import { operandsOf } from "#core/promql/expressions/operands.ts"
import type { Finding } from "./finding.ts"
import { COMPARISONS } from "./values.ts"
import { withoutParentheses } from "./walk.ts"

/** Why series of it are no reason for an alert, and where that is; undefined where they are. */
type Unconditional = Pick<Finding, "span" | "message"> | undefined

/** Series that exist only while something is wrong. */
const OF_ALERTS = ["ALERTS", "ALERTS_FOR_STATE"]

/**
 * Alerts that fire as soon as their series exist. `conditional` are metrics that are recorded only while something holds.
 * A constant such as `vector(1)` is meant to fire always: it shows that alerts arrive.
 */
export function checkComparison(root: Expression, conditional: ReadonlySet<string>): readonly Finding[] {
  const constant = withoutParentheses(root)
  if (
    constant.kind === "number" ||
    (constant.kind === "call" && constant.name === "vector" && constant.arguments[0]?.kind === "number")
  )
    return []
  const result = unconditional(root, conditional)
  return result === undefined ? [] : [{ check: "alerts/comparison", ...result }]
}

/** Whether its series exist only while something holds. */
export function isConditional(root: Expression, conditional: ReadonlySet<string>): boolean {
  return unconditional(root, conditional) === undefined
}

function unconditional(root: Expression, conditional: ReadonlySet<string>): Unconditional {
  return fold<Expression, Unconditional>(root, operandsOf, (expression, operands) => {
    switch (expression.kind) {
      case "number":
      case "string":
        return undefined
      case "selector": {
        if (existsWhileWrong(expression, conditional)) return undefined
        return {
          span: expression,
          message: "fires as soon as there are series: compare their values, such as with > 0",
        }
      }
      case "call": {
        if (expression.name.startsWith("absent")) return undefined
        const always = { span: expression, message: `${expression.name}() always has a result: compare it` }
        if (expression.name === "scalar" || expression.name === "vector") return always
        return ofOperands(
          operands.filter((_, index) => isSeries(expression.arguments[index])),
          always,
        )
      }
      case "aggregation":
        return operands.at(-1)
      case "binary":
        return ofBinary(expression, operands)
      case "subquery":
      case "unary":
      case "parenthesis":
    }
    return operands[0]
  })
}

function existsWhileWrong({ matchers }: VectorSelector, conditional: ReadonlySet<string>): boolean {
  const { value: name = "" } = matchers.find(({ label, op }) => label === "__name__" && op === "=") ?? {}
  // such series are always 1, and tell by a label what is the matter
  const isInfo = /_(?:info|metadata)$/.test(name) && matchers.length > 1
  return isInfo || OF_ALERTS.includes(name) || conditional.has(name)
}

/** One condition is enough. */
function ofOperands(operands: readonly Unconditional[], without: Unconditional): Unconditional {
  return operands.length === 0 || !operands.includes(undefined) ? (operands[0] ?? without) : undefined
}

const isSeries = (expression: Expression | undefined): boolean => /^(?:vector|matrix)$/.test(expression?.type ?? "")

function ofBinary(expression: Binary & Span, operands: readonly Unconditional[]): Unconditional {
  const { operator, left, right, returnsBool } = expression
  // what an expression without the other part yields is enough for an alert
  if (operator === "or") return operands[0] ?? operands[1]
  if (operator === "unless") return undefined
  const ofSeries = operands.filter((_, index) => isSeries(index === 0 ? left : right))
  if (ofSeries.includes(undefined)) return undefined
  if (!COMPARISONS.has(operator)) {
    return ofOperands(ofSeries, { span: expression, message: "always has a result: compare it" })
  }
  if (!returnsBool) return undefined
  return {
    span: expression,
    message: "has a result also where it is false, by bool: remove bool, or compare the result",
  }
}
