import type { Dialect } from "./dialect.ts"
import type { Token } from "./lexer.ts"

const AGGREGATIONS =
  "avg bottomk count count_values group limit_ratio limitk max min quantile stddev stdvar sum topk".split(" ")
const OPERATORS = ["and", "or", "unless", "atan2"]
/** Between an operator and its operand; no metric can be called so. */
const MODIFIERS = ["bool", "on", "ignoring", "group_left", "group_right"]
/** The same where a parenthesis follows, else names of metrics. */
const CLAUSES = ["fill", "fill_left", "fill_right"]

/**
 * The text for the published grammar, which reads tokens by rules of its own: every token where it was, as one that the
 * grammar surely takes for what Prometheus takes it for. So a metric called `offset` gets another name, `1.` is `11`, a
 * string has no escapes, and what is called is a function that the grammar knows.
 */
export function grammarText(text: string, tokens: readonly Token[], dialect: Dialect): string {
  const writer = new Writer(text, tokens, dialect)
  let end = 0
  let written = ""
  for (const [index, token] of tokens.entries()) {
    written += " ".repeat(token.from - end) + writer.write(index)
    end = token.to
  }
  return written
}

class Writer {
  readonly #text: string
  readonly #tokens: readonly Token[]
  readonly #namesWithColons: boolean
  /** What each open parenthesis or bracket holds. */
  readonly #open: ("labels" | "last labels" | "fill" | "duration" | "anything")[] = []
  /** Whether an operand may start here; else an operator may, or what belongs to an operand. */
  #operand = true
  /** Behind `offset`. */
  #duration = false
  /** What a parenthesis would hold; "last" where no operand follows. */
  #clause: "labels" | "last labels" | "fill" | undefined

  constructor(text: string, tokens: readonly Token[], dialect: Dialect) {
    this.#text = text
    this.#tokens = tokens
    this.#namesWithColons = dialect.features.has("utf8-names")
  }

  write(index: number): string {
    const token = this.#tokens[index]
    if (token === undefined) return ""
    const length = token.to - token.from
    const written = this.#textOf(index)
    if (token.kind === "label") return "a".repeat(length)
    if (token.kind === "word") return this.#word(written, index)
    if (token.kind === "sign") {
      this.#sign(written)
      return /^\w$/.test(written) ? ":" : written
    }
    this.#operand = false
    this.#duration = false
    this.#clause = undefined
    if (token.kind === "string") return `"${"a".repeat(length - 2)}"`
    // .5 must not become the end of a word before, and what follows a duration not its end
    if (token.kind === "number") return (written.startsWith(".") ? "." : "1") + "1".repeat(length - 1)
    return `${"1".repeat(length - 1)}m`
  }

  #textOf(index: number): string {
    const token = this.#tokens[index]
    return token === undefined ? "" : this.#text.slice(token.from, token.to)
  }

  #sign(sign: string): void {
    if (sign === "(") this.#open.push(this.#clause ?? (this.#duration ? "duration" : "anything"))
    else if (sign === "[") this.#open.push("duration")
    const closed = sign === ")" || sign === "]" ? this.#open.pop() : undefined
    this.#clause = undefined
    this.#operand = closed === "labels" || closed === "fill" || !/^[)\]}]$/.test(sign)
    this.#duration = this.#open.at(-1) === "duration" || (this.#duration && /^[-+]$/.test(sign))
  }

  #word(word: string, index: number): string {
    const isNumber = /^(?:inf|nan)$/i.test(word)
    if (this.#open.at(-1)?.endsWith("labels") === true) {
      // a number is no label
      return isNumber ? "1".repeat(word.length) : this.#namesWithColons ? word.replaceAll(":", "_") : word
    }
    this.#clause = undefined
    const before = this.#textOf(index - 1)
    if (this.#duration || isNumber || before === "@") {
      this.#operand = false
      return this.#duration ? word.toLowerCase() : word
    }
    const name = word.toLowerCase()
    const isCall = this.#textOf(index + 1) === "("
    if (MODIFIERS.includes(name) || (CLAUSES.includes(name) && isCall)) {
      this.#clause = CLAUSES.includes(name) ? "fill" : name === "bool" ? undefined : "labels"
      this.#operand = true
      return word
    }
    if (!this.#operand) {
      if (name === "by" || name === "without") this.#clause = before === ")" ? "last labels" : "labels"
      this.#operand = OPERATORS.includes(name) || name === "offset"
      this.#duration = name === "offset"
      return word
    }
    this.#operand = false
    if (isCall && !AGGREGATIONS.includes(name)) return callName(word.length)
    return name === "offset" ? "a".repeat(word.length) : word
  }
}

/** A function that the grammar knows; spaces may follow it. */
function callName(length: number): string {
  return (length < 3 ? "ln" : "abs").padEnd(length).slice(0, length)
}
