import { BadString, unquote } from "../unquote.ts"
import type { Dialect } from "./dialect.ts"
import type { Span } from "./expression.ts"
import { excerpt } from "./reading.ts"
import { scanNumber } from "./scan-number.ts"

export interface Token extends Span {
  /** A word may be a keyword; what is none of the first is written as it is: `(`, `==`, `:`. */
  readonly kind: "number" | "duration" | "string" | "word" | "label" | "sign"
}

export interface LexicalProblem extends Span {
  readonly message: string
}

const SPACE = /[ \t\r\n]+/y
/** Ends at a carriage return too, other than in the published grammar. */
const COMMENT = /#[^\r\n]*/y
const WORD = /[A-Za-z_:][\w:]*/y
const LABEL = /[A-Za-z_]\w*/y
const SIGN = /==|!=|<=|>=|[-,*/%+^=<>()[\]{}@]/y
const TRIM_OR_SIGN = /<\/|>\/|==|!=|<=|>=|[-,*/%+^=<>()[\]{}@]/y
const SIGN_IN_BRACES = /=~|!~|!=|[=,}]/y
const QUOTED = /"(?:[^"\\\n]|\\[^])*"|'(?:[^'\\\n]|\\[^])*'|`[^`]*`/y

/** What a duration may consist of besides literals; min() and max() got other names in 3.12. */
export function durationWords(features: Dialect["features"]): readonly string[] {
  if (features.has("duration-functions")) return ["step", "range", "min_of", "max_of"]
  return features.has("duration-step") ? ["step", "min", "max"] : []
}

/**
 * The tokens, but for comments, as Prometheus' own lexer finds them, or the first place where it gives up. Where a bracket opens, what comes
 * before the first number is read by other rules than what comes after.
 */
export function readTokens(text: string, dialect: Dialect): readonly Token[] | LexicalProblem {
  return new Lexer(text, dialect).read()
}

class Lexer {
  readonly #text: string
  readonly #features: Dialect["features"]
  readonly #tokens: Token[] = []
  #at = 0
  #parentheses = 0
  #inBraces = false
  /** In any bracket so far: only then may a colon follow what is no number, as in `[step():]`. */
  #durationSeen = false
  #bracket: { colon: boolean; fresh: boolean } | undefined

  constructor(text: string, dialect: Dialect) {
    this.#text = text
    this.#features = dialect.features
  }

  read(): readonly Token[] | LexicalProblem {
    if (!this.#text.isWellFormed()) return { from: 0, to: this.#text.length, message: "invalid Unicode" }
    while (this.#at < this.#text.length) {
      const message = this.#next()
      if (message !== undefined) return typeof message === "string" ? this.#problem(message) : message
    }
    const open = this.#inBraces ? "}" : this.#parentheses > 0 ? ")" : this.#bracket ? "]" : undefined
    return open === undefined ? this.#tokens : this.#problem(`unexpected end, ${open} is missing`)
  }

  #problem(message: string): LexicalProblem {
    const { length } = String.fromCodePoint(this.#text.codePointAt(this.#at) ?? 0)
    return { from: this.#at, to: Math.min(this.#at + length, this.#text.length), message }
  }

  /** Reads one token, or says what is wrong, with the character where it stands. */
  #next(): string | LexicalProblem | undefined {
    if (this.#skip(SPACE)) return undefined
    if (this.#bracket?.fresh) return this.#nextInDuration(this.#bracket)
    if (this.#skip(COMMENT)) return undefined
    if (/^["'`]/.test(this.#character())) return this.#string()
    return this.#inBraces ? this.#nextInBraces() : this.#nextOutside()
  }

  #nextOutside(): string | LexicalProblem | undefined {
    const character = this.#character()
    if (/^[0-9]$/.test(character) || /^\.[0-9]$/.test(this.#text.slice(this.#at, this.#at + 2))) return this.#number()
    if (this.#bracket !== undefined && /^[A-Za-z_:]$/.test(character)) return this.#wordInBrackets(this.#bracket)
    if (this.#take(WORD, "word")) return undefined
    if (/^(?:=~|!(?!=))/.test(this.#text.slice(this.#at, this.#at + 2))) return `unexpected ${this.#shown()}`
    if (!this.#take(this.#features.has("trim-operators") ? TRIM_OR_SIGN : SIGN, "sign")) {
      return `unexpected ${this.#shown()}`
    }
    return this.#nest(character)
  }

  /** Of brackets; the sign is behind. */
  #nest(sign: string): string | undefined {
    const refuse = (): string => {
      this.#at--
      return `unexpected ${sign}`
    }
    if (sign === "(") this.#parentheses++
    else if (sign === ")" && --this.#parentheses < 0) return refuse()
    else if (sign === "{") this.#inBraces = true
    else if (sign === "}") return refuse()
    else if (sign === "[") {
      if (this.#bracket !== undefined) return refuse()
      this.#bracket = { colon: false, fresh: true }
    } else if (sign === "]") {
      if (this.#bracket === undefined) return refuse()
      this.#bracket = undefined
    }
    return undefined
  }

  #nextInBraces(): string | undefined {
    if (this.#take(LABEL, "label")) return undefined
    const character = this.#character()
    if (!this.#take(SIGN_IN_BRACES, "sign")) return `unexpected ${this.#shown()} in {}`
    if (character === "}") this.#inBraces = false
    return undefined
  }

  /** Between the opening bracket and the first number or duration. */
  #nextInDuration(bracket: { colon: boolean; fresh: boolean }): string | LexicalProblem | undefined {
    const character = this.#character()
    if (/^[0-9]$/.test(character) || /^\.[0-9]$/.test(this.#text.slice(this.#at, this.#at + 2))) {
      this.#durationSeen = true
      bracket.fresh = false
      return this.#number()
    }
    const modern = this.#features.has("duration-as-number")
    if (modern && /^[-+*/%^,()\]]$/.test(character)) {
      this.#take(SIGN, "sign")
      return this.#nest(character)
    }
    if (modern && this.#takeDurationWord()) return undefined
    if (modern && character === ":" && this.#durationSeen && !bracket.colon) {
      bracket.colon = true
      this.#push("sign", this.#at + 1)
      return undefined
    }
    return `unexpected ${this.#shown()} in [], where a duration is expected`
  }

  /** Before 3.6, any word is a colon there. */
  #wordInBrackets(bracket: { colon: boolean }): string | undefined {
    if (this.#character() !== ":") {
      if (this.#takeDurationWord()) return undefined
      if (this.#features.has("duration-step")) return `unexpected ${this.#shown()} in []`
    }
    if (bracket.colon) return `unexpected ${this.#shown()} in []`
    bracket.colon = true
    this.#push("sign", this.#at + 1)
    return undefined
  }

  #takeDurationWord(): boolean {
    LABEL.lastIndex = this.#at
    const [word = ""] = LABEL.exec(this.#text) ?? []
    const known = durationWords(this.#features)
    return known.includes(word.toLowerCase()) && this.#take(LABEL, "word")
  }

  #number(): LexicalProblem | undefined {
    const from = this.#at
    const scanned = scanNumber(this.#text, this.#at, this.#features.has("number-separators"))
    if (typeof scanned === "number") {
      const end = this.#text.slice(scanned).search(/[^\w.]/)
      const to = end === -1 ? this.#text.length : scanned + end
      return { from, to, message: `${excerpt(this.#text.slice(from, to))} is neither a number nor a duration` }
    }
    if (this.#bracket !== undefined && scanned.kind === "number" && !this.#features.has("duration-as-number")) {
      return { from, to: scanned.to, message: "a duration needs a unit, such as 5m" }
    }
    this.#push(scanned.kind, scanned.to)
    return undefined
  }

  #string(): string | undefined {
    QUOTED.lastIndex = this.#at
    const [literal] = QUOTED.exec(this.#text) ?? []
    if (literal === undefined) return "a string that does not end"
    const value = unquote(literal)
    // what is not UTF-8 is a string, other than a name
    if (value instanceof BadString && !value.notUnicode) {
      this.#at += value.offset
      return `${value.problem} in a string`
    }
    this.#push("string", this.#at + literal.length)
    return undefined
  }

  #character(): string {
    return this.#text.charAt(this.#at)
  }

  #shown(): string {
    const point = this.#text.codePointAt(this.#at) ?? 0
    const character = String.fromCodePoint(point)
    if (/^[\p{L}\p{N}\p{P}\p{S}]$/u.test(character)) return character
    return `the character U+${point.toString(16).toUpperCase().padStart(4, "0")}`
  }

  #skip(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at
    const found = pattern.test(this.#text)
    if (found) this.#at = pattern.lastIndex
    return found
  }

  #take(pattern: RegExp, kind: Token["kind"]): boolean {
    const from = this.#at
    const found = this.#skip(pattern)
    if (found) this.#tokens.push({ kind, from, to: this.#at })
    return found
  }

  #push(kind: Token["kind"], to: number): void {
    this.#tokens.push({ kind, from: this.#at, to })
    this.#at = to
  }
}
