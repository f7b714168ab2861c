import { badEscape, isCharacter, isFloat, isNumber } from "./literals.ts"
import { TemplateFault } from "./template.ts"

/** Of text/template between `{{` and `}}`; `space` counts, as `.a.b` and `.a .b` differ. */
export interface Token {
  readonly kind:
    | "space" | "right" | "keyword" | "word" | "variable" | "field" | "dot" | "number" | "bool" | "string" | "mark" // prettier-ignore
  readonly text: string
  readonly from: number
  readonly to: number
}

const KEYWORDS: ReadonlySet<string> = new Set(
  "block break continue define else end if nil range template with".split(" "),
)

const RIGHT = /[ \t\r\n]-\}\}|\}\}/y
/** The last one before `-}}` belongs to it. */
const SPACE = /(?:[ \t\r\n](?!-\}\}))+/y
const NUMBER =
  /[+-]?(?:0[xX][\da-fA-F_]*(?:\.[\da-fA-F_]*)?(?:[pP][+-]?[\d_]*)?|0[oO][0-7_]*(?:\.[0-7_]*)?|0[bB][01_]*(?:\.[01_]*)?|[\d_]*(?:\.[\d_]*)?(?:[eE][+-]?[\d_]*)?)i?/y
const STARTS_NUMBER = /[+\-\d]|\.\d/y
const NAME = /[$.]?[\p{L}\p{Nd}_]*/uy
const AFTER_NAME = /[ \t\r\n.,|:)(]|\}\}|$/y
const WORD = /[\p{L}\p{Nd}_]+/uy
const STRING = /"(?:[^"\\\n]|\\[^\n])*"/y
const RAW = /`[^`]*`/y
const CHARACTER = /'(?:[^'\\\n]|\\[^\n])*'/y

function match(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at
  return pattern.exec(text)?.[0]
}

/** Those of one action, from behind its `{{`; the last one is the `}}`. */
export function readTokens(text: string, start: number): readonly Token[] {
  const tokens: Token[] = []
  let at = start
  for (;;) {
    const token = nextToken(text, at, start)
    tokens.push(token)
    if (token.kind === "right") return tokens
    at = token.to
  }
}

function nextToken(text: string, at: number, start: number): Token {
  const make = (kind: Token["kind"], found: string): Token => ({ kind, text: found, from: at, to: at + found.length })
  const right = match(RIGHT, text, at)
  if (right !== undefined) return make("right", right)
  const space = match(SPACE, text, at)
  if (space !== undefined) return make("space", space)
  if (at >= text.length) {
    throw new TemplateFault("the action that begins here is not closed: add }}", { from: start - 2, to: start })
  }
  if (match(STARTS_NUMBER, text, at) !== undefined) return make("number", readNumber(text, at))
  const name = match(NAME, text, at) ?? ""
  if (name !== "") return make(kindOf(name), checkedName(text, at, name))
  const char = text[at] ?? ""
  if (char === '"' || char === "`" || char === "'") return readQuoted(text, at, char)
  if (char === ":") {
    if (text[at + 1] === "=") return make("mark", ":=")
    throw new TemplateFault("a colon stands in := only", { from: at, to: at + 1 })
  }
  if (/[ -~]/.test(char)) return make("mark", char)
  const whole = String.fromCodePoint(text.codePointAt(at) ?? 0)
  throw new TemplateFault(`${JSON.stringify(whole)} cannot stand in an action`, { from: at, to: at + whole.length })
}

function kindOf(name: string): Token["kind"] {
  if (name === ".") return "dot"
  if (name.startsWith(".")) return "field"
  if (name.startsWith("$")) return "variable"
  if (name === "true" || name === "false") return "bool"
  return KEYWORDS.has(name) ? "keyword" : "word"
}

function checkedName(text: string, at: number, name: string): string {
  const end = at + name.length
  if (match(AFTER_NAME, text, end) !== undefined) return name
  const whole = String.fromCodePoint(text.codePointAt(end) ?? 0)
  const message = `${JSON.stringify(whole)} cannot follow ${name}: put a space between`
  throw new TemplateFault(message, { from: end, to: end + whole.length })
}

function readNumber(text: string, at: number): string {
  const first = match(NUMBER, text, at) ?? ""
  const signed = /[+-]/.test(text[at + first.length] ?? "")
  const second = signed ? (match(NUMBER, text, at + first.length) ?? "") : ""
  const number = first + second
  const valid = second === "" ? isNumber(first) : second.endsWith("i") && isFloat(first) && isFloat(second.slice(0, -1))
  if (valid && match(WORD, text, at + number.length) === undefined) return number
  const span = { from: at, to: at + number.length }
  const rest = match(WORD, text, span.to)
  if (rest === undefined) throw new TemplateFault(`${excerpt(number)} is not a number that Go can hold`, span)
  const message = `${excerpt(number + rest)} is no number in Go's syntax: put a space after the number, or a text in quotes`
  throw new TemplateFault(message, { from: at, to: span.to + rest.length })
}

function readQuoted(text: string, at: number, quote: string): Token {
  const literal = match(quote === '"' ? STRING : quote === "`" ? RAW : CHARACTER, text, at)
  if (literal === undefined) {
    throw new TemplateFault(`the string that begins here does not end: add ${quote}`, { from: at, to: at + 1 })
  }
  const bad = badEscape(literal)
  if (bad !== undefined) {
    const from = at + bad
    throw new TemplateFault(`${JSON.stringify(text.slice(from, from + 2))} is not an escape of Go`, {
      from,
      to: from + 2,
    })
  }
  if (quote === "'" && !isCharacter(literal)) {
    throw new TemplateFault("single quotes hold one character: write a string in double quotes", {
      from: at,
      to: at + literal.length,
    })
  }
  return { kind: quote === "'" ? "number" : "string", text: literal, from: at, to: at + literal.length }
}

/** For messages: what a hostile text is made of need not be repeated whole. */
export function excerpt(text: string): string {
  return text.length <= 40 ? text : `${text.slice(0, 40)}…`
}
