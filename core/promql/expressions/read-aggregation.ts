import type { SyntaxNode } from "@lezer/common"
import type { Aggregation, Expression, ValueType } from "./expression.ts"
import { requireFeature } from "./features.ts"
import { expectFunction } from "./read-call.ts"
import { children, childOf, type Reading, textOf } from "./reading.ts"
import { readString } from "./strings.ts"
import { expectType } from "./types.ts"

/** By the operator; the others take none. */
const PARAMETERS: ReadonlyMap<string, ValueType> = new Map([
  ["bottomk", "scalar"],
  ["count_values", "string"],
  ["limit_ratio", "scalar"],
  ["limitk", "scalar"],
  ["quantile", "scalar"],
  ["topk", "scalar"],
])

export function readAggregation(node: SyntaxNode, operands: readonly Expression[], reading: Reading): Expression {
  const operator = textOf(childOf(node, "AggregateOp") ?? node, reading).toLowerCase()
  const want = PARAMETERS.get(operator)
  const [parameter, of] = want === undefined ? [undefined, operands[0]] : [operands[0], operands[1]]
  const { from, to } = node
  expectFunction(operator, { from, to: from + operator.length }, reading)
  const wanted = want === undefined ? 1 : 2
  if (operands.length !== wanted) {
    const needed = want === undefined ? "1 argument" : `2 arguments, a ${want} and an instant vector`
    reading.report(node, `${operator} takes ${needed}, not ${operands.length}`)
  } else {
    if (want !== undefined && parameter !== undefined)
      expectType(parameter, want, `the parameter of ${operator}`, reading)
    if (of !== undefined) expectType(of, "vector", `what ${operator} aggregates`, reading)
  }
  const grouping = readGrouping(childOf(node, "AggregateModifier"), reading)
  const body: Expression = of ?? { kind: "parenthesis", from, to, type: "vector", of: NOTHING }
  return { kind: "aggregation", from, to, type: "vector", operator, parameter, of: body, grouping }
}

const NOTHING: Expression = { kind: "number", from: 0, to: 0, type: "scalar", value: NaN }

function readGrouping(modifier: SyntaxNode | undefined, reading: Reading): Aggregation["grouping"] {
  if (modifier === undefined) return undefined
  const labels = childOf(modifier, "GroupingLabels")
  return {
    mode: childOf(modifier, "By") === undefined ? "without" : "by",
    labels: labels === undefined ? [] : readLabels(labels, reading),
  }
}

/** `GroupingLabels`, as they are written. */
export function readLabels(node: SyntaxNode, reading: Reading): readonly string[] {
  return children(node).map((label) => {
    if (label.name !== "QuotedLabelName") return readLabel(label, reading)
    requireFeature("utf8-names", "a label in quotes", label, reading)
    const name = readString(label, reading)
    if (name === "") reading.report(label, "a label has a name; write it or remove the quotes")
    return name
  })
}

function readLabel(label: SyntaxNode, reading: Reading): string {
  const name = textOf(label, reading)
  if (name.toLowerCase() === "without") reading.report(label, 'a label that is called without needs quotes: "without"')
  return name
}
