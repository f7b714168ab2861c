import type { Operator, Token, Word } from "./words.ts"

/** A file that breaks off, or has a word where none may stand. */
export class Misplaced extends Error {
  readonly line: number
  constructor(line: number) {
    super("misplaced")
    this.line = line
  }
}

/** The word as it stands, where nothing in it is quoted or expanded: only such a word can be a keyword. */
export function bareText(token: Token | undefined): string | undefined {
  if (token?.kind !== "word") return undefined
  const [piece, ...more] = token.pieces
  return piece?.kind === "text" && !piece.quoted && more.length === 0 ? piece.text : undefined
}

/** Tokens, read one after the other. */
export class TokenReader {
  protected readonly tokens: readonly Token[]
  protected at = 0

  constructor(tokens: readonly Token[]) {
    this.tokens = tokens
  }

  get next(): Token | undefined {
    return this.tokens[this.at]
  }

  word(): Word | undefined {
    const next = this.next
    if (next?.kind !== "word") return undefined
    this.at += 1
    return next
  }

  operator(...texts: readonly string[]): Operator | undefined {
    const next = this.next
    if (next?.kind !== "operator" || !texts.includes(next.text)) return undefined
    this.at += 1
    return next
  }

  keyword(text: string): boolean {
    if (bareText(this.next) !== text) return false
    this.at += 1
    return true
  }

  expect(text: string): void {
    if (this.operator(text) === undefined) throw this.misplaced()
  }

  expectKeyword(text: string): void {
    if (!this.keyword(text)) throw this.misplaced()
  }

  misplaced(): Misplaced {
    return new Misplaced(this.next?.line ?? this.tokens.at(-1)?.line ?? 1)
  }

  /** Over brackets in which nothing is a statement. */
  over(open: string, close: string, depth: number): void {
    const textOf = (token: Token): string | undefined => (token.kind === "operator" ? token.text : bareText(token))
    do {
      const next = this.next
      if (next === undefined) throw this.misplaced()
      this.at += 1
      const text = textOf(next)
      if (text === open) depth += 1
      else if (text === close) depth -= 1
    } while (depth > 0)
  }
}

export const isOneOf = (token: Token | undefined, texts: readonly string[]): boolean =>
  token?.kind === "operator" && texts.includes(token.text)
