import { printSelector, quote } from "../selector.ts"
import { ANY_DIALECT } from "./dialects.ts"
import type {
  Aggregation,
  Binary,
  DurationExpression,
  Expression,
  Subquery,
  VectorMatching,
  VectorSelector,
} from "./expression.ts"
import { fold } from "./fold.ts"
import { operandsOf } from "./operands.ts"
import { readExpression } from "./read-expression.ts"

/**
 * The one spelling of an expression: two that are equal in it mean the same to every server. White space, comments, quotes,
 * the order of matchers, labels and modifiers, spellings of numbers and durations, and parentheses around operands are
 * without meaning. A text that cannot be read here is only trimmed.
 */
export function canonicalExpression(text: string): string {
  const read = readExpression(text, ANY_DIALECT)
  return read.verdict === "valid" ? fold(read.expression, operandsOf, print).text : text.trim()
}

interface Printed {
  readonly text: string
  /** It stood in parentheses; they are not part of `text`. */
  readonly parenthesized?: boolean
  /** Can stand beside an operator without them. */
  readonly atomic?: boolean
}

function print(expression: Expression, operands: readonly Printed[]): Printed {
  const [first = { text: "" }, second = { text: "" }] = operands
  switch (expression.kind) {
    case "number":
      return { text: printNumber(expression.value), atomic: !printNumber(expression.value).startsWith("-") }
    case "string":
      return { text: quote(expression.value), atomic: true }
    case "selector":
      return timed(
        `${printSelector(expression.matchers)}${printRange(expression.range)}`,
        expression,
        expression.modifier,
      )
    case "subquery":
      return timed(`(${first.text})${printRange(expression.range, printDuration(expression.step))}`, expression)
    case "call":
      // absent((up)) has no labels, absent(up) those of the selector: parentheses around an argument have a meaning
      return { text: `${expression.name}(${operands.map(argument).join(", ")})`, atomic: true }
    case "aggregation": {
      const labels = printGrouping(expression.grouping)
      return { text: `${expression.operator}${labels}(${operands.map(({ text }) => text).join(", ")})`, atomic: true }
    }
    case "binary":
      return { text: `${operand(first)} ${printOperator(expression)} ${operand(second)}` }
    case "unary":
      return { text: `${expression.operator}(${first.text})` }
    case "parenthesis":
  }
  return { ...first, parenthesized: true }
}

function argument({ text, parenthesized }: Printed): string {
  return parenthesized === true ? `(${text})` : text
}

function operand({ text, atomic }: Printed): string {
  return atomic === true ? text : `(${text})`
}

function printOperator({ operator, returnsBool, matching }: Binary): string {
  return `${operator}${returnsBool ? " bool" : ""}${printMatching(matching)}`
}

function printGrouping(grouping: Aggregation["grouping"]): string {
  if (grouping === undefined || (grouping.mode === "by" && grouping.labels.length === 0)) return ""
  return ` ${grouping.mode}${printLabels(grouping.labels)} `
}

function printRange(range: DurationExpression | undefined, step?: string): string {
  if (range === undefined) return ""
  return step === undefined ? `[${printDuration(range)}]` : `[${printDuration(range)}:${step}]`
}

function timed(text: string, { offset, at }: VectorSelector | Subquery, modifier?: string): Printed {
  const modifiers = [
    modifier ?? "",
    at === undefined ? "" : `@ ${typeof at === "number" ? printNumber(at) : at}`,
    offset === undefined || offset === 0 ? "" : `offset ${printDuration(offset)}`,
  ].filter((part) => part !== "")
  return { text: [text, ...modifiers].join(" "), atomic: modifiers.length === 0 }
}

function printMatching(matching: VectorMatching | undefined): string {
  if (matching === undefined) return ""
  const { mode, labels, group, include, fill } = matching
  const clause =
    mode === "ignoring" && labels.length === 0 && group === undefined ? "" : ` ${mode}${printLabels(labels)}`
  const grouped = group === undefined ? "" : ` group_${group}${printLabels(include)}`
  const left = fill?.left === undefined ? "" : ` fill_left(${printNumber(fill.left)})`
  const right = fill?.right === undefined ? "" : ` fill_right(${printNumber(fill.right)})`
  return `${clause}${grouped}${left}${right}`
}

/** In quotes, as names that are keywords need. */
function printLabels(labels: readonly string[]): string {
  return ` (${[...new Set(labels)].toSorted().map(quote).join(", ")})`
}

function printNumber(value: number): string {
  if (Object.is(value, -0)) return "-0"
  return String(value).replace("Infinity", "Inf")
}

function printDuration(duration: DurationExpression | undefined): string {
  if (duration === undefined) return ""
  if (typeof duration === "string") return duration
  return Number.isInteger(duration) ? `${duration}ms` : printNumber(duration / 1000)
}
