/** A part of a word of a shell file, as it is written. */
export type Piece =
  | { readonly kind: "text"; readonly text: string; readonly quoted: boolean }
  | { readonly kind: "variable"; readonly name: string; readonly quoted: boolean; readonly expansion?: Expansion }
  /** What only a shell or another program knows: `$(…)`, backticks, `$1`, an array. */
  | { readonly kind: "unknown" }

/** `${NAME:-word}`. */
export interface Expansion {
  readonly operator: "-" | "=" | "+" | "?"
  /** With a colon, where an empty variable counts as unset. */
  readonly orEmpty: boolean
  readonly word: readonly Piece[]
}

export interface Word {
  readonly kind: "word"
  readonly pieces: readonly Piece[]
  readonly line: number
}

/** `;`, `&&`, `\n`, `(` and so on. */
export interface Operator {
  readonly kind: "operator"
  readonly text: string
  readonly line: number
}

export type Token = Word | Operator

/** A quote or bracket that does not end. */
export class Unfinished extends Error {
  readonly line: number
  constructor(line: number) {
    super("unfinished")
    this.line = line
  }
}

const OPERATOR = /&&|\|\||;;&|;;|;&|\|&|&>>|&>|<<<|<<-|<<|<>|<&|>>|>&|>\||[;&|()<>\n]/y
const BARE = /[^ \t\r\n\f\v'"`$\\;&|()<>]+|\\$/y
const EXPANSION = /\$\{([A-Za-z_]\w*)(?:(:?)([-=+?]))?/y
const VARIABLE = /\$([A-Za-z_]\w*)/y

/** The words and operators of a shell file (POSIX.1-2024, "Token Recognition"), without comments and here-documents. */
export function tokensOf(text: string): readonly Token[] {
  return new Reader(text).tokens()
}

class Reader {
  readonly #text: string
  #at = 0
  #line = 1

  constructor(text: string) {
    this.#text = text
  }

  tokens(): readonly Token[] {
    const tokens: Token[] = []
    const documents: { readonly end: string; readonly isIndented: boolean }[] = []
    while (this.#at < this.#text.length) {
      if (this.#take(/[ \t\r\f\v]+|\\\r?\n/y) !== undefined || this.#take(/#.*/y) !== undefined) continue
      const line = this.#line
      const operator = this.#take(OPERATOR)?.[0]
      if (operator === undefined) {
        tokens.push({ kind: "word", pieces: this.#word(), line })
        continue
      }
      tokens.push({ kind: "operator", text: operator, line })
      if (operator === "<<" || operator === "<<-") {
        this.#take(/[ \t]+/y)
        const end = this.#word().map((piece) => (piece.kind === "text" ? piece.text : ""))
        documents.push({ end: end.join(""), isIndented: operator === "<<-" })
      }
      if (operator === "\n") for (const document of documents.splice(0)) this.#skipDocument(document)
    }
    return tokens
  }

  /** What a sticky expression matches here, which is then behind. */
  #take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)
    if (found === null) return undefined
    this.#at = pattern.lastIndex
    this.#line += found[0].split("\n").length - 1
    return found
  }

  #word(): readonly Piece[] {
    const pieces: Piece[] = []
    for (;;) {
      const begin = this.#at
      const bare = this.#take(BARE)?.[0]
      if (bare !== undefined) {
        pieces.push({ kind: "text", text: bare, quoted: false })
        // an array
        if (bare.endsWith("=") && this.#take(/\(/y) !== undefined) pieces.push(this.#skipTo(")"))
      } else if (this.#take(/\\\r?\n/y) === undefined) {
        const escaped = this.#take(/\\([^])/y)?.[1]
        if (escaped !== undefined) pieces.push({ kind: "text", text: escaped, quoted: true })
        else pieces.push(...this.#quotedOrExpanded())
      }
      if (this.#at === begin) return pieces
    }
  }

  /** Nothing where the word ends. */
  #quotedOrExpanded(): readonly Piece[] {
    const line = this.#line
    const single = this.#take(/'([^']*)'/y)
    if (single !== undefined) return [{ kind: "text", text: single[1] ?? "", quoted: true }]
    const ansi = this.#take(/\$'((?:[^'\\]|\\[^])*)'/y)
    if (ansi !== undefined) return [ansiText(ansi[1] ?? "")]
    if (this.#take(/\$?"/y) !== undefined) return this.#doubleQuoted(line)
    if (this.#take(/'|\$'/y) !== undefined) throw new Unfinished(line)
    return this.#expanded(false)
  }

  #doubleQuoted(line: number): readonly Piece[] {
    const pieces: Piece[] = [{ kind: "text", text: "", quoted: true }]
    while (this.#take(/"/y) === undefined) {
      if (this.#at >= this.#text.length) throw new Unfinished(line)
      const plain = this.#take(/[^"\\$`]+/y)?.[0] ?? this.#take(/\\(?![$`"\\\n])/y)?.[0]
      const escaped = this.#take(/\\\n/y) === undefined ? this.#take(/\\([$`"\\])/y)?.[1] : ""
      const text = `${plain ?? ""}${escaped ?? ""}`
      if (text === "") pieces.push(...this.#expanded(true))
      else pieces.push({ kind: "text", text, quoted: true })
    }
    return pieces
  }

  /** What begins with `$` or a backtick; nothing where there is neither. */
  #expanded(quoted: boolean): readonly Piece[] {
    const line = this.#line
    const variable = this.#take(VARIABLE)?.[1]
    if (variable !== undefined) return [{ kind: "variable", name: variable, quoted }]
    const braced = this.#take(EXPANSION)
    if (braced !== undefined) return [this.#braced(braced, quoted)]
    if (this.#take(/\$\(/y) !== undefined) return [this.#skipTo(")")]
    if (this.#take(/\$\{/y) !== undefined) return [this.#skipTo("}")]
    if (this.#take(/\$[\d@*#?$!-]/y) !== undefined) return [{ kind: "unknown" }]
    if (this.#take(/\$/y) !== undefined) return [{ kind: "text", text: "$", quoted }]
    if (this.#take(/`(?:[^`\\]|\\[^])*`/y) !== undefined) return [{ kind: "unknown" }]
    if (this.#take(/`/y) !== undefined) throw new Unfinished(line)
    return []
  }

  #braced([, name = "", colon, operator]: RegExpExecArray, quoted: boolean): Piece {
    if (operator === undefined)
      return this.#take(/\}/y) === undefined ? this.#skipTo("}") : { kind: "variable", name, quoted }
    const line = this.#line
    const word: Piece[] = []
    while (this.#take(/\}/y) === undefined) {
      if (this.#at >= this.#text.length) throw new Unfinished(line)
      const plain = this.#take(/[^}'"`$\\]+/y)?.[0] ?? this.#take(/\\([^])/y)?.[1]
      // within double quotes a single quote is one
      const quote = plain === undefined && quoted ? this.#take(/'/y)?.[0] : undefined
      const text = plain ?? quote
      if (text === undefined) word.push(...this.#quotedOrExpanded())
      else word.push({ kind: "text", text, quoted })
    }
    const expansion = { operator: operator as Expansion["operator"], orEmpty: colon === ":", word }
    return { kind: "variable", name, quoted, expansion }
  }

  /** Over commands and arrays, with the brackets and quotes in them. */
  #skipTo(end: ")" | "}"): Piece {
    const line = this.#line
    for (let depth = 1; depth > 0;) {
      if (this.#at >= this.#text.length) throw new Unfinished(line)
      if (this.#take(/'[^']*'|"(?:[^"\\]|\\[^])*"|\\[^]|(?<=\s)#.*/y) !== undefined) continue
      const character = this.#take(/[^]/y)?.[0]
      if (character === end) depth -= 1
      else if (character === (end === ")" ? "(" : "{")) depth += 1
    }
    return { kind: "unknown" }
  }

  #skipDocument({ end, isIndented }: { readonly end: string; readonly isIndented: boolean }): void {
    for (let line = this.#take(/.*(?:\n|$)/y)?.[0]; line !== undefined && line !== "";) {
      const text = line.replace(/\r?\n$/, "")
      if ((isIndented ? text.replace(/^\t+/, "") : text) === end) return
      line = this.#take(/.*(?:\n|$)/y)?.[0]
    }
  }
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: "\n",
  t: "\t",
  r: "\r",
  "\\": "\\",
  "'": "'",
  '"': '"',
  "?": "?",
}

/** `$'…'` with the escapes that passwords have; others are not known. */
function ansiText(text: string): Piece {
  const known = [...text.matchAll(/\\([^])/g)].every(([, letter = ""]) => letter in ESCAPES)
  if (!known) return { kind: "unknown" }
  return { kind: "text", text: text.replaceAll(/\\([^])/g, (_, letter: string) => ESCAPES[letter] ?? ""), quoted: true }
}
