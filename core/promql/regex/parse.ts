import { PERL, POSIX } from "./classes.ts"
import { ANY, type CodePoints, fold, type Folded, MAX_CODE_POINT, negate, NEWLINE, only } from "./code-points.ts"
import { exactly, merged, type Regex, repeatsAtMost, setOf, signed, unionOf } from "./tree.ts"
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
  if (!pattern.isWellFormed()) throw new InvalidRegex("it is not valid Unicode")
  if (pattern.length > MAX_LENGTH) throw new Undecidable(`it is longer than ${MAX_LENGTH} characters`)
  return new Parser(pattern).parse()
}

class Parser {
  readonly #text: readonly string[]
  readonly #names = new Set<string>()
  #at = 0
  #depth = 0
  #flags: Flags = { fold: false, multiline: false, dotAll: undefined }

  constructor(pattern: string) {
    this.#text = Array.from(pattern)
  }

  parse(): Regex {
    const regex = this.#alternation()
    if (this.#at < this.#text.length) throw new InvalidRegex("unexpected )")
    return regex
  }

  #peek(offset = 0): string | undefined {
    return this.#text[this.#at + offset]
  }

  #take(wanted: string): boolean {
    const found = Array.from(wanted).every((letter, index) => this.#peek(index) === letter)
    if (found) this.#at += wanted.length
    return found
  }

  #next(missing: string): string {
    const letter = this.#peek()
    if (letter === undefined) throw new InvalidRegex(missing)
    this.#at++
    return letter
  }

  /** Up to a closing parenthesis or the end. Flags that are set within stay set in the branches that follow. */
  #alternation(): Regex {
    if (++this.#depth > MAX_DEPTH) throw new Undecidable(`it is nested more than ${MAX_DEPTH} deep`)
    const parts = [this.#branch()]
    while (this.#take("|")) parts.push(this.#branch())
    this.#depth--
    if (parts.every((part) => part.kind === "set")) return merged(parts) // as Go does
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : { kind: "alternate", parts }
  }

  #branch(): Regex {
    const parts: Regex[] = []
    let repeated = false
    for (let letter = this.#peek(); letter !== undefined && letter !== "|" && letter !== ")"; letter = this.#peek()) {
      const times = this.#repetition()
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

  #repetition(): { min: number; max: number } | undefined {
    const times = this.#times()
    if (times !== undefined) this.#take("?")
    return times
  }

  #times(): { min: number; max: number } | undefined {
    if (this.#take("*")) return { min: 0, max: Infinity }
    if (this.#take("+")) return { min: 1, max: Infinity }
    if (this.#take("?")) return { min: 0, max: 1 }
    if (this.#peek() !== "{") return undefined
    const start = this.#at++
    const min = this.#number()
    const max = this.#take(",") ? (this.#peek() === "}" ? Infinity : this.#number()) : min
    if (min === undefined || max === undefined || !this.#take("}")) {
      this.#at = start // a brace that stands for itself
      return undefined
    }
    if (min > MAX_REPEAT || (max > MAX_REPEAT && max !== Infinity) || min > max) {
      throw new InvalidRegex("invalid repeat count")
    }
    return { min, max }
  }

  /** Without leading zeros. */
  #number(): number | undefined {
    let digits = ""
    for (let digit = this.#peek(); digit !== undefined && /^[0-9]$/.test(digit); digit = this.#peek()) {
      digits += digit
      this.#at++
    }
    // a number too large to tell from "no limit" is as invalid as one above the limit
    return /^(?:0|[1-9]\d*)$/.test(digits) ? Math.min(Number(digits), 1e9) : undefined
  }

  /** One thing that can be repeated; several for \Q…\E, none where only flags are set. */
  #item(): readonly Regex[] {
    const letter = this.#next("it ends too early")
    switch (letter) {
      case "(":
        return this.#group()
      case "[":
        return [setOf(this.#class(), this.#flags.fold)]
      case ".":
        return [this.#dot()]
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

  #dot(): Regex {
    if (this.#flags.dotAll === undefined) return { kind: "dot" }
    return setOf(exactly(this.#flags.dotAll ? ANY : negate(only(NEWLINE))), false)
  }

  #literal(point: number): Regex {
    return setOf(this.#folded(only(point)), this.#flags.fold)
  }

  #folded(set: CodePoints): Folded {
    const folded = this.#flags.fold ? fold(set) : exactly(set)
    if (folded === undefined) {
      throw new Undecidable("(?i) on characters beyond ASCII is not supported: versions of Prometheus differ")
    }
    return folded
  }

  #group(): readonly Regex[] {
    const outer = this.#flags
    if (this.#take("?P<") || this.#take("?<")) this.#name()
    else if (this.#take("?") && !this.#groupFlags()) return []
    const inner = this.#alternation()
    if (!this.#take(")")) throw new InvalidRegex("missing )")
    this.#flags = outer
    return [inner]
  }

  #name(): void {
    let name = ""
    for (let letter = this.#next("missing >"); letter !== ">"; letter = this.#next("missing >")) name += letter
    if (!/^\w+$/.test(name)) throw new InvalidRegex("invalid name of a group")
    if (this.#names.has(name)) throw new InvalidRegex(`two groups named ${name}`)
    this.#names.add(name)
  }

  /** What stands after `(?`; true where a group follows. */
  #groupFlags(): boolean {
    let on = true
    let seen = true
    for (;;) {
      const letter = this.#next("missing )")
      if (letter === "i") this.#flags = { ...this.#flags, fold: on }
      else if (letter === "m") this.#flags = { ...this.#flags, multiline: on }
      else if (letter === "s") this.#flags = { ...this.#flags, dotAll: on }
      else if ((letter === ":" || letter === ")") && seen) return letter === ":"
      else if (letter === "-" && on) on = false
      else if (letter !== "U") throw new InvalidRegex(`(?${letter} is no RE2 syntax`)
      seen = letter !== "-"
    }
  }

  #escape(): readonly Regex[] {
    const letter = this.#peek()
    if (this.#take("A")) return [{ kind: "assert", assertion: "text start" }]
    if (this.#take("z")) return [{ kind: "assert", assertion: "text end" }]
    if (this.#take("b")) return [{ kind: "assert", assertion: "word boundary" }]
    if (this.#take("B")) return [{ kind: "assert", assertion: "no word boundary" }]
    if (this.#take("Q")) return this.#quoted()
    const perl = this.#perlClass(letter)
    return [perl === undefined ? this.#literal(this.#escaped()) : setOf(perl, this.#flags.fold)]
  }

  #quoted(): readonly Regex[] {
    const literals: Regex[] = []
    while (!this.#take("\\E")) {
      // Prometheus wraps the expression in a group, whose end an open \Q would swallow: it is invalid there
      literals.push(this.#literal(codePoint(this.#next("\\Q without \\E"))))
    }
    return literals
  }

  #perlClass(letter: string | undefined): Folded | undefined {
    if (letter === "p" || letter === "P") {
      throw new Undecidable(`\\${letter} is not supported: Unicode versions differ`)
    }
    const perl = PERL.get(letter ?? "")
    if (perl === undefined) return undefined
    this.#at++
    return signed(this.#folded(perl.set), perl.negated)
  }

  /** The code point that an escape stands for; the backslash is behind. */
  #escaped(): number {
    const letter = this.#next("a backslash at the end")
    const control = { a: 7, f: 12, n: 10, r: 13, t: 9, v: 11 }[letter]
    if (control !== undefined) return control
    if (letter === "x") return this.#hexadecimal()
    if (letter === "0" || (/^[1-7]$/.test(letter) && /^[0-7]$/.test(this.#peek() ?? ""))) return this.#octal(letter)
    if (codePoint(letter) < 0x80 && !/^[0-9A-Za-z]$/.test(letter)) return codePoint(letter)
    throw new InvalidRegex(`\\${letter} is no RE2 syntax`)
  }

  #octal(first: string): number {
    let digits = first
    while (digits.length < 3 && /^[0-7]$/.test(this.#peek() ?? "")) digits += this.#next("")
    return Number.parseInt(digits, 8)
  }

  #hexadecimal(): number {
    const invalid = "\\x needs two hexadecimal digits, or some in braces"
    let digits = ""
    if (this.#take("{")) {
      for (let digit = this.#next(invalid); digit !== "}"; digit = this.#next(invalid)) digits += digit
    } else {
      digits = this.#next(invalid) + this.#next(invalid)
    }
    const value = /^[0-9A-Fa-f]+$/.test(digits) ? Number.parseInt(digits, 16) : Infinity
    if (value > MAX_CODE_POINT) throw new InvalidRegex(invalid)
    return value
  }

  /** The opening bracket is behind. A closing one is a member if it comes first. */
  #class(): Folded {
    const negated = this.#take("^")
    const sets: Folded[] = []
    while (sets.length === 0 || this.#peek() !== "]") sets.push(this.#member())
    this.#at++
    return signed(unionOf(sets), negated)
  }

  #member(): Folded {
    const posix = this.#posixClass()
    if (posix !== undefined) return posix
    if (this.#peek() === "\\") {
      this.#at++
      const perl = this.#perlClass(this.#peek())
      if (perl !== undefined) return perl
      this.#at--
    }
    const low = this.#memberPoint()
    let high = low
    if (this.#peek() === "-" && this.#peek(1) !== undefined && this.#peek(1) !== "]") {
      this.#at++
      high = this.#memberPoint()
    }
    if (high < low) throw new InvalidRegex("a range in [] ends before it starts")
    return this.#folded([low, high])
  }

  #memberPoint(): number {
    const letter = this.#next("missing ]")
    return letter === "\\" ? this.#escaped() : codePoint(letter)
  }

  #posixClass(): Folded | undefined {
    if (this.#peek() !== "[" || this.#peek(1) !== ":") return undefined
    let end = this.#at + 2
    while (end < this.#text.length && !(this.#text[end] === ":" && this.#text[end + 1] === "]")) end++
    if (end >= this.#text.length) return undefined
    const name = this.#text.slice(this.#at + 2, end).join("")
    const set = POSIX.get(name.replace(/^\^/, ""))
    if (set === undefined) throw new InvalidRegex(`[:${name}:] is no class`)
    this.#at = end + 2
    return signed(this.#folded(set), name.startsWith("^"))
  }
}

function codePoint(letter: string): number {
  return letter.codePointAt(0) ?? 0
}
