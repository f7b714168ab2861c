import { cleanText } from "#core/log/clean-text.ts"
import { buildExpression } from "./build.ts"
import type { Dialect } from "./dialect.ts"
import type { Expression, Span } from "./expression.ts"
import { grammarText } from "./grammar-text.ts"
import { durationWords, readTokens, type Token } from "./lexer.ts"
import { isShallow } from "./nesting.ts"
import { parseTree } from "./parse-tree.ts"
import { excerpt, type Reading } from "./reading.ts"

export interface ExpressionProblem extends Span {
  /** What is wrong and what to do, in one sentence without a final stop. */
  readonly message: string
}

export type ReadExpression =
  /** `notes`: what is evaluated for some users of the server alone. */
  | { readonly verdict: "valid"; readonly expression: Expression; readonly notes: readonly ExpressionProblem[] }
  | { readonly verdict: "invalid"; readonly problems: readonly [ExpressionProblem, ...ExpressionProblem[]] }
  /** The grammar here cannot tell; Prometheus may accept it. */
  | { readonly verdict: "unchecked"; readonly reason: string }

const MAX_LENGTH = 100_000
/** Of a hostile text there may be tens of thousands. */
const MAX_PROBLEMS = 100

/** Whether a server that speaks this dialect accepts the expression, and what it is. */
export function readExpression(text: string, dialect: Dialect): ReadExpression {
  if (text.length > MAX_LENGTH) return { verdict: "unchecked", reason: `it is longer than ${MAX_LENGTH} characters` }
  const tokens = readTokens(text, dialect)
  if ("message" in tokens) return { verdict: "invalid", problems: [tokens] }
  if (!isShallow(text, tokens))
    return { verdict: "unchecked", reason: "it is nested deeper, or a longer chain, than can be read here" }
  const root = parseTree(grammarText(text, tokens, dialect))
  if (typeof root === "number") return explain(text, tokens, root, dialect)
  const problems: ExpressionProblem[] = []
  const notes: ExpressionProblem[] = []
  const addTo = (list: ExpressionProblem[], { from, to }: Span, message: string): void => {
    if (list.length < MAX_PROBLEMS) list.push({ from, to, message: cleanText(message) })
  }
  let reason: string | undefined
  const reading: Reading = {
    text,
    dialect,
    report: (at, message) => addTo(problems, at, message),
    note: (at, message) => addTo(notes, at, message),
    doubt(why) {
      reason ??= why
    },
    untyped: new Set(),
  }
  const expression = buildExpression(root, reading)
  const inOrder = (a: Span, b: Span): number => a.from - b.from || a.to - b.to
  const [first, ...more] = problems.toSorted(inOrder)
  if (first !== undefined) return { verdict: "invalid", problems: [first, ...more] }
  if (reason !== undefined) return { verdict: "unchecked", reason }
  return { verdict: "valid", expression, notes: notes.toSorted(inOrder) }
}

/** The grammar was left at a token: that proves that it is invalid, but for what only older parsers read. */
function explain(text: string, tokens: readonly Token[], at: number, { features }: Dialect): ReadExpression {
  const index = tokens.findIndex(({ to }) => to > at)
  const token = tokens[index] ?? { from: text.length, to: text.length }
  const around = tokens.slice(Math.max(index - 1, 0), index + 1).map(({ from, to }) => text.slice(from, to))
  if (around.some((word) => /^(?:min|max)$/i.test(word)) && durationWords(features).includes("min")) {
    return { verdict: "unchecked", reason: "min() and max() of durations cannot be read here" }
  }
  const { from, to } = token
  const message =
    tokens.length === 0
      ? "there is no expression"
      : from === to
        ? "unexpected end"
        : `unexpected ${excerpt(text.slice(from, to))}`
  return { verdict: "invalid", problems: [{ from, to, message: cleanText(message) }] }
}
