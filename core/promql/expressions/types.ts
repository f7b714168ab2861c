import type { Expression, ValueType } from "./expression.ts"
import type { Reading } from "./reading.ts"

const NAMES: Readonly<Record<ValueType, string>> = {
  scalar: "a scalar",
  vector: "an instant vector",
  matrix: "a range vector",
  string: "a string",
}

/** What to do where the first was wanted and the second is there. */
const HINTS: Readonly<Record<string, string>> = {
  "matrix vector": "; append a range such as [5m]",
  "vector matrix": "; apply a function over time such as rate() to it",
  "scalar vector": "; write a number, or scalar() around it",
  "vector scalar": "; write vector() around it",
  "string scalar": "; put it in quotes",
}

/** `role`: such as `the argument of rate()`. */
export function expectType(expression: Expression, want: ValueType, role: string, reading: Reading): void {
  const { type } = expression
  if (type === want || reading.untyped.has(expression)) return
  const hint = HINTS[`${want} ${type}`] ?? ""
  reading.report(expression, `${role} must be ${NAMES[want]}, not ${NAMES[type]}${hint}`)
}

/** Whether it is one of two types that can be calculated with; else that is reported. */
export function expectNumbers(expression: Expression, role: string, reading: Reading): boolean {
  const { type } = expression
  if (reading.untyped.has(expression) || type === "scalar" || type === "vector") return !reading.untyped.has(expression)
  const hint = HINTS[`vector ${type}`] ?? ""
  reading.report(expression, `${role} must be a scalar or an instant vector, not ${NAMES[type]}${hint}`)
  return false
}
