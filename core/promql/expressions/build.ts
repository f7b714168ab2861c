import type { SyntaxNode } from "@lezer/common"
import type { Expression } from "./expression.ts"
import { fold } from "./fold.ts"
import { readNumber } from "./numbers.ts"
import { readAggregation } from "./read-aggregation.ts"
import { readCall } from "./read-call.ts"
import { readBinary, readUnary } from "./read-operators.ts"
import { readAt, readExtended, readOffset, readRange, readSelector, readSubquery } from "./read-selector.ts"
import { children, childrenOf, type Reading } from "./reading.ts"
import { type Part, regroup } from "./regroup.ts"
import { readString } from "./strings.ts"

// by the grammar's names of nodes
const LEAVES: Readonly<Record<string, (part: Part, reading: Reading) => Expression>> = {
  NumberDurationLiteral: ({ from, to }, reading) => ({
    kind: "number",
    from,
    to,
    type: "scalar",
    value: readNumber({ from, to }, reading),
  }),
  StringLiteral: ({ node, from, to }, reading) => ({
    kind: "string",
    from,
    to,
    type: "string",
    value: readString(node, reading),
  }),
  VectorSelector: ({ node }, reading) => readSelector(node, reading),
}

const OF_ONE: Readonly<Record<string, (part: Part, of: Expression, reading: Reading) => Expression>> = {
  AnchoredExpr: readExtended,
  MatrixSelector: readRange,
  OffsetExpr: readOffset,
  ParenExpr: readParenthesis,
  SmoothedExpr: readExtended,
  StepInvariantExpr: readAt,
  SubqueryExpr: readSubquery,
}

const OF_MANY: Readonly<
  Record<string, (node: SyntaxNode, operands: readonly Expression[], reading: Reading) => Expression>
> = {
  AggregateExpr: readAggregation,
  FunctionCall: readCall,
}

/** Of a tree without errors. */
export function buildExpression(root: SyntaxNode, reading: Reading): Expression {
  return fold<Part, Expression>(
    regroup(children(root)[0] ?? root, reading),
    (part) => (part.operands.length > 0 ? part.operands : within(part.node).map((node) => regroup(node, reading))),
    (part, operands) => readPart(part, operands, reading),
  )
}

/** What stands in parentheses. */
function within(node: SyntaxNode): readonly SyntaxNode[] {
  if (node.name === "ParenExpr") return children(node)
  return OF_MANY[node.name] === undefined ? [] : childrenOf(node, "FunctionCallBody").flatMap(children)
}

function readPart(part: Part, operands: readonly Expression[], reading: Reading): Expression {
  const { node, sign } = part
  const [first, second] = operands
  if (sign !== undefined && first !== undefined) return readUnary(sign, part, first, reading)
  const leaf = LEAVES[node.name]
  if (leaf !== undefined) return leaf(part, reading)
  const ofMany = OF_MANY[node.name]
  if (ofMany !== undefined) return ofMany(node, operands, reading)
  const ofOne = OF_ONE[node.name]
  if (first !== undefined && ofOne !== undefined) return ofOne(part, first, reading)
  if (first !== undefined && second !== undefined) return readBinary(node, first, second, reading)
  throw new Error(`the grammar has no ${node.name} as an expression`)
}

function readParenthesis({ from, to }: Part, of: Expression, { untyped }: Reading): Expression {
  const expression: Expression = { kind: "parenthesis", from, to, type: of.type, of }
  if (untyped.has(of)) untyped.add(expression)
  return expression
}
