import type { Token } from "./lexer.ts"

/** The published grammar's parser gives up, or drops parts without a sign, where more is open or nested. */
const MAX_OPEN = 2_600
const MAX_DEPTH = 2_400

/** Of what stands in one pair of brackets; from comma to comma it starts anew. */
interface Level {
  operators: number
  /** Of them, those that may wait for their right operand with all others: `^` and signs. */
  waiting: number
  inner: Size
  before: Size
}

interface Size {
  readonly open: number
  readonly depth: number
}

const NONE: Size = { open: 0, depth: 0 }
const OPERATORS = /^(?:and|or|unless|atan2|offset|smoothed|anchored)$/i

/** Whether the published grammar can be trusted: compares upper bounds of what its parser must hold. */
export function isShallow(text: string, tokens: readonly Token[]): boolean {
  const levels: Level[] = [emptyLevel()]
  let before = ""
  for (const token of tokens) {
    const level = levels.at(-1)
    if (level === undefined) return false
    const isLiteral = token.kind !== "sign" && token.kind !== "word"
    const word = isLiteral ? "" : text.slice(token.from, token.to)
    if (/^[)\]}]$/.test(word)) {
      levels.pop()
      const outer = levels.at(-1)
      if (outer !== undefined) outer.inner = larger(outer.inner, sizeOf(level))
    } else if (word === ",") {
      Object.assign(level, { ...emptyLevel(), before: sizeOf(level) })
    } else if (/^[({]$/.test(word)) levels.push(emptyLevel())
    else if (token.kind === "sign" || OPERATORS.test(word)) {
      level.operators++
      if (word === "^" || (/^[-+]$/.test(word) && isSign(before))) level.waiting++
      if (word === "[") levels.push(emptyLevel())
    }
    before = word
  }
  const [top] = levels
  if (top === undefined) return false
  const { open, depth } = sizeOf(top)
  return open <= MAX_OPEN && depth <= MAX_DEPTH
}

function emptyLevel(): Level {
  return { operators: 0, waiting: 0, inner: NONE, before: NONE }
}

/** What stands before a sign that belongs to one number or operand. */
function isSign(before: string): boolean {
  return /^[^\w:)\]}]/.test(before)
}

/** Other operators wait for each other at six levels of precedence at most. */
function sizeOf({ operators, waiting, inner, before }: Level): Size {
  return larger(before, {
    open: inner.open + 5 + 3 * (Math.min(operators, 6) + waiting),
    depth: inner.depth + 5 + operators,
  })
}

function larger(a: Size, b: Size): Size {
  return { open: Math.max(a.open, b.open), depth: Math.max(a.depth, b.depth) }
}
