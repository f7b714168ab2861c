import type { Dialect } from "./dialect.ts"
import { dialectOf } from "./dialects.ts"
import type { Expression } from "./expression.ts"
import { readExpression } from "./read-expression.ts"

export const NEWEST: Dialect = dialectOf("prometheus-3.14", [
  "promql-experimental-functions",
  "promql-binop-fill-modifiers",
  "promql-extended-range-selectors",
])

/** Each as the fragment of the text that it is about, and the message. */
export function problemsOf(text: string, dialect: Dialect = NEWEST): readonly string[] {
  const read = readExpression(text, dialect)
  if (read.verdict === "unchecked") return [`unchecked: ${read.reason}`]
  if (read.verdict === "valid") return []
  return read.problems.map(({ from, to, message }) => `${text.slice(from, to)} | ${message}`)
}

export function expressionOf(text: string, dialect: Dialect = NEWEST): Expression {
  const read = readExpression(text, dialect)
  if (read.verdict !== "valid") throw new Error(`${text}: ${problemsOf(text, dialect).join("; ")}`)
  return read.expression
}
