import type { SyntaxNode } from "@lezer/common"
import type { DurationExpression } from "./expression.ts"
import { requireFeature } from "./features.ts"
import { isDuration, literalOf, MAX_MILLISECONDS, readDurationLiteral, readUnsigned } from "./literals.ts"
import { children, excerpt, type Reading, textOf } from "./reading.ts"

/** A `DurationExpr` or an `OffsetDurationExpr`. Of a range or a step it must be positive. */
export function readDuration(node: SyntaxNode, use: "range" | "step" | "offset", reading: Reading): DurationExpression {
  const duration = readPart(node, reading)
  if (use === "offset") doubtOffset(node, reading)
  const zero = duration === 0 && !reading.dialect.features.has("duration-as-number")
  if (use !== "offset" && typeof duration === "number" && duration <= 0) {
    reading.report(node, `a ${use} must be greater than 0`)
  } else if (zero) reading.report(node, "an offset of 0 is not allowed; remove it")
  return duration
}

const ARITHMETIC = /(?:[ \t\r\n]|#[^\r\n]*)*[-+*/%^]/y

/** Behind parentheses or two signs, Prometheus takes an operator for one of durations, other than the grammar. */
function doubtOffset(node: SyntaxNode, reading: Reading): void {
  const [first, second] = children(node)
  const inner = first?.name === "UnaryOp" && second ? children(second)[0] : first
  ARITHMETIC.lastIndex = node.to
  if ((inner?.name === "UnaryOp" || inner?.name === "DurationExpr") && ARITHMETIC.test(reading.text)) {
    reading.doubt("an operator stands after an offset with parentheses or two signs")
  }
}

function readPart(node: SyntaxNode, reading: Reading): DurationExpression {
  const [first, second, third] = children(node)
  if (first === undefined) return readLiteral(node, reading)
  switch (first.name) {
    case "UnaryOp":
      return readSigned(node, first, second ?? first, reading)
    case "DurationStep":
      requireFeature("duration-step", "step() in a duration", first, reading)
      return "step()"
    case "DurationRange":
      requireFeature("duration-functions", "range() in a duration", first, reading)
      return "range()"
    case "DurationMinOf":
    case "DurationMaxOf": {
      const name = textOf(first, reading).toLowerCase()
      requireFeature("duration-functions", `${name}() in a duration`, first, reading)
      const [left, right] = [second, third].map((part) => printPart(readPart(part ?? first, reading)))
      return `${name}(${left}, ${right})`
    }
    default:
      if (first.name.endsWith("DurationContext")) return readLiteral(first, reading)
      return second === undefined
        ? readParenthesis(node, first, reading)
        : readBinary(first, second, third ?? first, reading)
  }
}

function readLiteral(node: SyntaxNode, reading: Reading): number {
  const { text } = literalOf(node, reading)
  if (isDuration(text)) return readDurationLiteral(text, node, reading)
  if (!reading.dialect.features.has("duration-as-number")) {
    reading.report(node, "a duration needs a unit, such as 5m")
  }
  const milliseconds = readUnsigned(text, node, reading) * 1000
  if (milliseconds > MAX_MILLISECONDS) reading.report(node, `${excerpt(text)} seconds are more than 292 years`)
  return milliseconds
}

function readSigned(node: SyntaxNode, sign: SyntaxNode, of: SyntaxNode, reading: Reading): DurationExpression {
  const value = readPart(of, reading)
  const negative = textOf(sign, reading) === "-"
  if (!reading.dialect.features.has("duration-as-number") && !(negative && node.parent?.name === "OffsetExpr")) {
    reading.report(sign, `${reading.dialect.name} reads no sign there; remove it`)
  }
  if (typeof value === "number") return negative ? -value : value
  return negative ? `-${value}` : value
}

function readParenthesis(node: SyntaxNode, of: SyntaxNode, reading: Reading): DurationExpression {
  requireFeature("promql-duration-expr", "arithmetic with durations", node, reading)
  const value = readPart(of, reading)
  if (typeof value === "number") return value
  return `(${printPart(value)})`
}

function readBinary(left: SyntaxNode, operator: SyntaxNode, right: SyntaxNode, reading: Reading): string {
  requireFeature("promql-duration-expr", "arithmetic with durations", operator, reading)
  const sign = textOf(operator, reading)
  const [first, second] = [readPart(left, reading), readPart(right, reading)]
  if ((sign === "/" || sign === "%") && second === 0) reading.report(operator, "a duration is divided by 0")
  return `${printPart(first)} ${sign} ${printPart(second)}`
}

function printPart(part: DurationExpression): string {
  return typeof part === "number" ? `${part / 1000}` : part
}
