import type { Span } from "#core/promql/expressions/expression.ts"

/** The checks that people disable by their names; those of pint where it has them. */
export const LINTS = [
  "alerts/comparison",
  "alerts/template",
  "promql/fragile",
  "promql/impossible",
  "promql/regexp",
  "rule/dependency",
  "rule/duplicate",
] as const
export type Lint = (typeof LINTS)[number]

/** Something in an expression that is accepted and probably not meant; its place is in the expression's text. */
export interface Finding {
  readonly check: Lint
  readonly span: Span
  /** What is wrong and what to do, in one sentence without a final stop. */
  readonly message: string
}
