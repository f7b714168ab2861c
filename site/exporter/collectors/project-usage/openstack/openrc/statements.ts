import { bareText, isOneOf, TokenReader } from "./token-reader.ts"
import type { Token, Word } from "./words.ts"

/** What a shell file does, as far as it concerns variables. */
export type Statement =
  | { readonly kind: "command"; readonly words: readonly Word[]; readonly line: number }
  | { readonly kind: "list"; readonly statements: readonly Statement[] }
  /** Each runs if the one before succeeded (`&&`) or failed (`||`). */
  | { readonly kind: "chain"; readonly first: Statement; readonly rest: readonly Link[] }
  | { readonly kind: "not"; readonly statement: Statement }
  | { readonly kind: "if"; readonly branches: readonly Branch[]; readonly otherwise: Statement | undefined }
  | { readonly kind: "for"; readonly name: string; readonly words: readonly Word[]; readonly body: Statement }
  | { readonly kind: "function"; readonly name: string; readonly body: Statement }
  /** May run, often or not at all: `while`, `case`. */
  | { readonly kind: "maybe"; readonly body: Statement; readonly line: number }
  /** Changes no variable here: a pipeline, a subshell, `[[ … ]]`, `(( … ))`; whether it succeeds is not known. */
  | { readonly kind: "apart" }

interface Link {
  readonly operator: "&&" | "||"
  readonly statement: Statement
}
interface Branch {
  readonly condition: Statement
  readonly body: Statement
}

export function statementsOf(tokens: readonly Token[]): Statement {
  const parser = new Parser(tokens)
  const all = parser.list()
  parser.end()
  return all
}

const APART: Statement = { kind: "apart" }

class Parser extends TokenReader {
  end(): void {
    if (this.next !== undefined) throw this.misplaced()
  }

  /** Statements up to one of the keywords, which is left. */
  list(...ends: readonly string[]): Statement {
    const statements: Statement[] = []
    for (;;) {
      while (this.operator("\n", ";", "&")) continue
      const next = this.next
      if (next === undefined || ends.includes(bareText(next) ?? "") || isOneOf(next, [")", ";;", ";&", ";;&"]))
        return { kind: "list", statements }
      const statement = this.#chain()
      // what runs beside changes nothing here
      statements.push(isOneOf(this.next, ["&"]) ? APART : statement)
    }
  }

  #chain(): Statement {
    const first = this.#pipeline()
    const rest: Link[] = []
    for (;;) {
      const operator = this.operator("&&", "||")
      if (operator === undefined) return rest.length === 0 ? first : { kind: "chain", first, rest }
      while (this.operator("\n")) continue
      rest.push({ operator: operator.text as Link["operator"], statement: this.#pipeline() })
    }
  }

  #pipeline(): Statement {
    if (this.keyword("!")) {
      const isAlone = isOneOf(this.next, ["\n", ";"])
      return { kind: "not", statement: isAlone ? { kind: "list", statements: [] } : this.#pipeline() }
    }
    const first = this.#statement()
    let statement = first
    while (this.operator("|", "|&")) {
      while (this.operator("\n")) continue
      this.#statement()
      statement = APART
    }
    return statement
  }

  #statement(): Statement {
    const line = this.next?.line ?? 0
    const statement = this.#compound(line)
    if (statement === undefined) return this.#command(line)
    while (this.#redirection()) continue
    return statement
  }

  #compound(line: number): Statement | undefined {
    const open = this.operator("(")
    if (open !== undefined) {
      if (isOneOf(this.next, ["("]) && this.next?.line === open.line) return this.#apart("(", ")")
      this.list()
      this.expect(")")
      return APART
    }
    if (this.keyword("{")) return this.#until("}")
    if (bareText(this.next) === "[[") return this.#condition(line)
    if (this.keyword("if")) return this.#if()
    if (this.keyword("for") || this.keyword("select")) return this.#for(line)
    if (this.keyword("case")) return this.#case(line)
    if (this.keyword("while") || this.keyword("until")) {
      const condition = this.#until("do")
      return { kind: "maybe", body: { kind: "list", statements: [condition, this.#until("done")] }, line }
    }
    return this.#function()
  }

  #function(): Statement | undefined {
    const named = this.keyword("function")
    const name = bareText(this.next) ?? ""
    const [, open, close] = this.tokens.slice(this.at, this.at + 3)
    const hasBrackets = isOneOf(open, ["("]) && isOneOf(close, [")"])
    if (!named && !hasBrackets) return undefined
    this.at += hasBrackets ? 3 : 1
    while (this.operator("\n")) continue
    return { kind: "function", name, body: this.#statement() }
  }

  #if(): Statement {
    const branches: Branch[] = []
    for (;;) {
      const condition = this.#until("then")
      branches.push({ condition, body: this.list("elif", "else", "fi") })
      if (this.keyword("elif")) continue
      const otherwise = this.keyword("else") ? this.list("fi") : undefined
      this.expectKeyword("fi")
      return { kind: "if", branches, otherwise }
    }
  }

  #for(line: number): Statement {
    const words: Word[] = []
    const name = bareText(this.next)
    if (name === undefined && isOneOf(this.next, ["("])) this.over("(", ")", 0)
    else this.at += 1
    while (this.operator("\n")) continue
    if (this.keyword("in")) for (let word = this.word(); word !== undefined; word = this.word()) words.push(word)
    while (this.operator("\n", ";")) continue
    this.expectKeyword("do")
    const body = this.#until("done")
    return name === undefined ? { kind: "maybe", body, line } : { kind: "for", name, words, body }
  }

  #case(line: number): Statement {
    while (this.word() !== undefined) continue
    const bodies: Statement[] = []
    for (;;) {
      while (this.operator("\n")) continue
      if (this.keyword("esac")) return { kind: "maybe", body: { kind: "list", statements: bodies }, line }
      // the patterns
      while (!this.operator(")")) {
        if (this.next === undefined) throw this.misplaced()
        this.at += 1
      }
      bodies.push({ kind: "maybe", body: this.list("esac"), line })
      this.operator(";;", ";&", ";;&")
    }
  }

  #command(line: number): Statement {
    const words: Word[] = []
    for (;;) {
      if (this.#redirection()) continue
      const word = this.word()
      if (word === undefined) break
      words.push(word)
    }
    if (words.length === 0) throw this.misplaced()
    return { kind: "command", words, line }
  }

  #redirection(): boolean {
    const [next, after] = this.tokens.slice(this.at, this.at + 2)
    const isNumbered = /^\d+$/.test(bareText(next) ?? "") && isRedirection(after)
    if (!isNumbered && !isRedirection(next)) return false
    const isDocument = isOneOf(isNumbered ? after : next, ["<<", "<<-"])
    this.at += isNumbered ? 2 : 1
    // the end of a here-document is read with it
    if (!isDocument && this.word() === undefined) throw this.misplaced()
    return true
  }

  /** `[[ … ]]`, a command where it is as simple as one of `[ … ]`. */
  #condition(line: number): Statement {
    const from = this.at
    this.#apart("[[", "]]")
    const words = this.tokens.slice(from, this.at).filter((token) => token.kind === "word")
    return words.length === this.at - from ? { kind: "command", words, line } : APART
  }

  #apart(open: string, close: string): Statement {
    this.over(open, close, bareText(this.next) === open ? 0 : 1)
    return APART
  }

  /** Statements to a keyword, which is read. */
  #until(end: string): Statement {
    const list = this.list(end)
    this.expectKeyword(end)
    return list
  }
}

const isRedirection = (token: Token | undefined): boolean => token?.kind === "operator" && /[<>]/.test(token.text)
