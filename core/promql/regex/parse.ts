import { ANY, type Folded, LINE, only } from "./code-points.ts"
import { codePoint, Letters } from "./letters.ts"
import { foldedIf, readClass, readEscape, readPerlClass } from "./read-class.ts"
import { exactly, merged, type Regex, repeatsAtMost, setOf } from "./tree.ts"
import { InvalidRegex, Undecidable } from "./undecidable.ts"

interface Flags {
  readonly fold: boolean
  readonly multiline: boolean
  /** undefined: as the version of Prometheus has it. */
  readonly dotAll: boolean | undefined
}

const MAX_LENGTH = 65_536
const MAX_DEPTH = 200
const MAX_REPEAT = 1000

/**
 * Parses RE2 syntax as Go's regexp/syntax does with its Perl flags. Greediness and captures say nothing about which
 * words match and are dropped. Throws InvalidRegex for what is no RE2, Undecidable for what is not supported.
 */
export function parseRegex(pattern: string): Regex {
  return parsing(pattern, false)
}

/**
 * The same, of its syntax alone: each set holds anything, so that those which versions of Prometheus differ in are supported,
 * but for `\\pL` and the like.
 */
export function parseSyntax(pattern: string): Regex {
  return parsing(pattern, true)
}

function parsing(pattern: string, syntaxOnly: boolean): Regex {
  if (!pattern.isWellFormed()) throw new InvalidRegex("it is not valid Unicode")
  if (pattern.length > MAX_LENGTH) throw new Undecidable(`it is longer than ${MAX_LENGTH} characters`)
  return new Parser(pattern, syntaxOnly).parse()
}

class Parser {
  readonly #letters: Letters
  readonly #syntaxOnly: boolean
  #depth = 0
  #flags: Flags = { fold: false, multiline: false, dotAll: undefined }

  constructor(pattern: string, syntaxOnly: boolean) {
    this.#letters = new Letters(pattern)
    this.#syntaxOnly = syntaxOnly
  }

  parse(): Regex {
    const regex = this.#alternation()
    if (this.#letters.peek() !== undefined) throw new InvalidRegex("unexpected )")
    return regex
  }

  /** Up to a closing parenthesis or the end. Flags that are set within stay set in the branches that follow. */
  #alternation(): Regex {
    if (++this.#depth > MAX_DEPTH) throw new Undecidable(`it is nested more than ${MAX_DEPTH} deep`)
    const parts = [this.#branch()]
    while (this.#letters.take("|")) parts.push(this.#branch())
    this.#depth--
    if (parts.length === 1 && parts[0] !== undefined) return parts[0]
    return parts.every((part) => part.kind === "set") ? merged(parts) : { kind: "alternate", parts } // as Go does
  }

  #branch(): Regex {
    const letters = this.#letters
    const parts: Regex[] = []
    let repeated = false
    for (let letter = letters.peek(); ![undefined, "|", ")"].includes(letter); letter = letters.peek()) {
      const times = readRepetition(letters)
      if (times !== undefined) {
        const part = parts.pop()
        if (part === undefined) throw new InvalidRegex(`nothing to repeat before ${letter}`)
        if (repeated) throw new InvalidRegex(`a repetition of a repetition at ${letter}`)
        const repeat: Regex = { kind: "repeat", part, ...times }
        if (letter === "{" && !repeatsAtMost(repeat, MAX_REPEAT)) throw new InvalidRegex("invalid repeat count")
        parts.push(repeat)
      } else {
        parts.push(...this.#item())
      }
      repeated = times !== undefined
    }
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : { kind: "concat", parts }
  }

  /** One thing that can be repeated; several for \Q…\E, none where only flags are set. */
  #item(): readonly Regex[] {
    const letter = this.#letters.next("it ends too early")
    switch (letter) {
      case "(":
        return this.#group()
      case "[":
        return [this.#set(readClass(this.#letters, this.#flags.fold))]
      case ".":
        return [
          this.#flags.dotAll === undefined ? { kind: "dot" } : setOf(exactly(this.#flags.dotAll ? ANY : LINE), false),
        ]
      case "^":
        return [{ kind: "assert", assertion: this.#flags.multiline ? "line start" : "text start" }]
      case "$":
        return [{ kind: "assert", assertion: this.#flags.multiline ? "line end" : "text end" }]
      case "\\":
        return this.#escape()
      default:
        return [this.#literal(codePoint(letter))]
    }
  }

  #literal(point: number): Regex {
    return this.#set(foldedIf(this.#flags.fold, only(point)))
  }

  #set(folded: Folded): Regex {
    return this.#syntaxOnly ? setOf(exactly(ANY), false) : setOf(folded, this.#flags.fold)
  }

  #group(): readonly Regex[] {
    const outer = this.#flags
    if (this.#letters.take("?P<") || this.#letters.take("?<")) this.#name()
    else if (this.#letters.take("?") && !this.#groupFlags()) return []
    const inner = this.#alternation()
    if (!this.#letters.take(")")) throw new InvalidRegex("missing )")
    this.#flags = outer
    return [inner]
  }

  #name(): void {
    const name = this.#letters.until(">")
    if (name === undefined) throw new InvalidRegex("missing >")
    if (!/^\w+$/.test(name)) throw new InvalidRegex("invalid name of a group")
  }

  /** What stands after `(?`; true where a group follows. */
  #groupFlags(): boolean {
    let on = true
    let seen = true
    for (;;) {
      const letter = this.#letters.next("missing )")
      if (letter === "i") this.#flags = { ...this.#flags, fold: on && !this.#syntaxOnly }
      else if (letter === "m") this.#flags = { ...this.#flags, multiline: on }
      else if (letter === "s") this.#flags = { ...this.#flags, dotAll: on }
      else if ((letter === ":" || letter === ")") && seen) return letter === ":"
      else if (letter === "-" && on) on = false
      else if (letter !== "U") throw new InvalidRegex(`(?${letter} is no RE2 syntax`)
      seen = letter !== "-"
    }
  }

  #escape(): readonly Regex[] {
    const letters = this.#letters
    if (letters.take("A")) return [{ kind: "assert", assertion: "text start" }]
    if (letters.take("z")) return [{ kind: "assert", assertion: "text end" }]
    if (letters.take("b")) return [{ kind: "assert", assertion: "word boundary" }]
    if (letters.take("B")) return [{ kind: "assert", assertion: "no word boundary" }]
    if (letters.take("Q")) return this.#quoted()
    const perl = readPerlClass(letters, this.#flags.fold)
    return [perl === undefined ? this.#literal(readEscape(letters)) : this.#set(perl)]
  }

  #quoted(): readonly Regex[] {
    const literals: Regex[] = []
    while (!this.#letters.take("\\E")) {
      // Prometheus wraps the expression in a group, whose end an open \Q would swallow: it is invalid there
      literals.push(this.#literal(codePoint(this.#letters.next("\\Q without \\E"))))
    }
    return literals
  }
}

/** How often what comes before is repeated, if a repetition comes; its greediness is left out. */
function readRepetition(letters: Letters): { min: number; max: number } | undefined {
  const sign = ["*", "+", "?"].find((one) => letters.take(one))
  const times =
    sign === undefined
      ? letters.attempt(() => readBraces(letters)) // if not, a brace that stands for itself
      : { min: sign === "+" ? 1 : 0, max: sign === "?" ? 1 : Infinity }
  if (times !== undefined) letters.take("?")
  return times
}

function readBraces(letters: Letters): { min: number; max: number } | undefined {
  if (!letters.take("{")) return undefined
  const min = readNumber(letters)
  const max = letters.take(",") ? (letters.peek() === "}" ? Infinity : readNumber(letters)) : min
  if (min === undefined || max === undefined || !letters.take("}")) return undefined
  if (min > MAX_REPEAT || (max > MAX_REPEAT && max !== Infinity) || min > max) {
    throw new InvalidRegex("invalid repeat count")
  }
  return { min, max }
}

/** Without leading zeros. */
function readNumber(letters: Letters): number | undefined {
  const digits = letters.digits(/^[0-9]$/)
  // a number too large to distinguish from "no limit" is as invalid as one above the limit
  return /^(?:0|[1-9]\d*)$/.test(digits) ? Math.min(Number(digits), 1e9) : undefined
}
