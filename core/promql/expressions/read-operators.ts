import type { SyntaxNode } from "@lezer/common"
import type { Binary, Expression, Span, VectorMatching } from "./expression.ts"
import { requireFeature } from "./features.ts"
import { readNumber } from "./numbers.ts"
import { readLabels } from "./read-aggregation.ts"
import { children, childOf, childrenOf, type Reading, textOf } from "./reading.ts"
import { expectNumbers } from "./types.ts"

const COMPARISONS: ReadonlySet<string> = new Set(["==", "!=", "<", "<=", ">", ">="])
const SETS: ReadonlySet<string> = new Set(["and", "or", "unless"])

export function readUnary(operator: "+" | "-", { from, to }: Span, of: Expression, reading: Reading): Expression {
  expectNumbers(of, `what ${operator} is applied to`, reading)
  if (of.kind === "number") return { ...of, from, to, value: operator === "-" ? -of.value : of.value }
  const type = of.type === "scalar" ? "scalar" : "vector"
  const expression: Expression = { kind: "unary", from, to, type, operator, of }
  if (reading.untyped.has(of)) reading.untyped.add(expression)
  return expression
}

/** The operator and its modifiers are the node's, but not the operands (regroup). */
export function readBinary(node: SyntaxNode, left: Expression, right: Expression, reading: Reading): Expression {
  const operator = textOf(children(node)[1] ?? node, reading).toLowerCase()
  const type = [left, right].every((operand) => operand.type === "scalar") ? "scalar" : "vector"
  const returnsBool = childOf(node, "BoolModifier") !== undefined
  const matching = readMatching(node, reading)
  const { from, to } = { from: left.from, to: right.to }
  const expression: Expression = { kind: "binary", from, to, type, operator, left, right, returnsBool, matching }
  if (reading.untyped.has(left) || reading.untyped.has(right)) reading.untyped.add(expression)
  checkOperands(expression, reading)
  return expression
}

function checkOperands(expression: Expression & Binary, reading: Reading): void {
  const { operator, left, right, returnsBool } = expression
  const known = [left, right].map((operand) => expectNumbers(operand, `an operand of ${operator}`, reading))
  if (operator === "</" || operator === ">/") requireFeature("trim-operators", operator, expression, reading)
  if (returnsBool && !COMPARISONS.has(operator)) {
    reading.report(expression, `bool stands after comparisons only, not after ${operator}; remove it`)
  }
  if (known.includes(false)) return
  const scalars = [left, right].filter(({ type }) => type === "scalar").length
  if (scalars === 2 && COMPARISONS.has(operator) && !returnsBool) {
    reading.report(expression, `a comparison of two scalars needs bool: write ${operator} bool`)
  }
  if (scalars > 0 && SETS.has(operator)) {
    reading.report(expression, `${operator} needs instant vectors on both sides; write vector() around a scalar`)
  }
  if (expression.matching !== undefined) checkMatching(expression, expression.matching, scalars > 0, reading)
}

function checkMatching(
  expression: Expression & Binary,
  { mode, labels, group, include, fill }: VectorMatching,
  ofScalar: boolean,
  reading: Reading,
): void {
  const { operator } = expression
  const twice = mode === "on" ? include.find((label) => labels.includes(label)) : undefined
  if (twice !== undefined) {
    reading.report(expression, `${twice} stands in both on and group_${group}; remove it from one of them`)
  }
  if (fill !== undefined) requireFeature("promql-binop-fill-modifiers", "fill", expression, reading)
  if (ofScalar) {
    if (labels.length > 0) reading.report(expression, `${mode} needs instant vectors on both sides; remove it`)
    if (fill !== undefined) reading.report(expression, "fill needs instant vectors on both sides; remove it")
  } else if (SETS.has(operator)) {
    if (group !== undefined) reading.report(expression, `group_${group} cannot stand after ${operator}; remove it`)
    if (fill !== undefined) reading.report(expression, `fill cannot stand after ${operator}; remove it`)
  }
}

function readMatching(node: SyntaxNode, reading: Reading): VectorMatching | undefined {
  const clause = childOf(node, "MatchingModifierClause")
  const fill = childOf(node, "FillModifier")
  if (clause === undefined && fill === undefined) return undefined
  const [labels, include] = childrenOf(clause, "GroupingLabels").map((part) => readLabels(part, reading))
  return {
    mode: childOf(clause, "On") ? "on" : "ignoring",
    labels: labels ?? [],
    group: childOf(clause, "GroupLeft") ? "left" : childOf(clause, "GroupRight") ? "right" : undefined,
    include: include ?? [],
    fill: fill === undefined ? undefined : readFill(fill, reading),
  }
}

function readFill(node: SyntaxNode, reading: Reading): VectorMatching["fill"] {
  const value = (clause: string): number | undefined => {
    const number = childOf(childOf(node, clause), "NumberDurationLiteral")
    return number ? readNumber(number, reading) : undefined
  }
  const both = value("FillClause")
  return { left: both ?? value("FillLeftClause"), right: both ?? value("FillRightClause") }
}
