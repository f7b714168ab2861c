import { type CodePoints, fold, type Folded, MAX_CODE_POINT, WORD } from "./code-points.ts"
import { codePoint, type Letters } from "./letters.ts"
import { exactly, signed, unionOf } from "./tree.ts"
import { InvalidRegex, Undecidable } from "./undecidable.ts"

const ranges = (text: string): CodePoints => Array.from(text).map((letter) => letter.charCodeAt(0))

/** What the small letter after a backslash stands for; the capital one is its negation. All are ASCII in RE2. */
const PERL: ReadonlyMap<string, CodePoints> = new Map([
  ["d", ranges("09")],
  ["s", ranges("\t\n\f\r  ")],
  ["w", WORD],
])

/** What stands for itself in `[[:name:]]`, and is negated in `[[:^name:]]`. */
const POSIX: ReadonlyMap<string, CodePoints> = new Map([
  ["alnum", ranges("09AZaz")],
  ["alpha", ranges("AZaz")],
  ["ascii", [0, 0x7f]],
  ["blank", ranges("\t\t  ")],
  ["cntrl", [0, 0x1f, 0x7f, 0x7f]],
  ["digit", ranges("09")],
  ["graph", ranges("!~")],
  ["lower", ranges("az")],
  ["print", ranges(" ~")],
  ["punct", ranges("!/:@[`{~")],
  ["space", ranges("\t\r  ")],
  ["upper", ranges("AZ")],
  ["word", WORD],
  ["xdigit", ranges("09AFaf")],
])

/** The set, with the letters of the other case where `folds`. Throws Undecidable for what versions fold differently. */
export function foldedIf(folds: boolean, set: CodePoints): Folded {
  const folded = folds ? fold(set) : exactly(set)
  if (folded === undefined) {
    throw new Undecidable("(?i) on characters beyond ASCII is not supported: versions of Prometheus differ")
  }
  return folded
}

/** Reads a class such as `\d` if one comes; the backslash is behind. */
export function readPerlClass(letters: Letters, folds: boolean): Folded | undefined {
  const letter = letters.peek() ?? ""
  if (letter === "p" || letter === "P") {
    throw new Undecidable(`\\${letter} is not supported: Unicode versions differ`)
  }
  const set = PERL.get(letter.toLowerCase())
  if (set === undefined) return undefined
  letters.take(letter)
  return signed(foldedIf(folds, set), letter !== letter.toLowerCase())
}

/** Reads the rest of `[…]`; the opening bracket is behind. A closing one is a member if it comes first. */
export function readClass(letters: Letters, folds: boolean): Folded {
  const negated = letters.take("^")
  const sets: Folded[] = []
  while (sets.length === 0 || !letters.take("]")) sets.push(readMember(letters, folds))
  return signed(unionOf(sets), negated)
}

function readMember(letters: Letters, folds: boolean): Folded {
  const named =
    readPosixClass(letters, folds) ??
    letters.attempt(() => (letters.take("\\") ? readPerlClass(letters, folds) : undefined))
  if (named !== undefined) return named
  const low = readPoint(letters)
  const high = letters.attempt(() => readEnd(letters)) ?? low
  if (high < low) throw new InvalidRegex("a range in [] ends before it starts")
  return foldedIf(folds, [low, high])
}

/** The last member of a range; a hyphen before the closing bracket is a member itself. */
function readEnd(letters: Letters): number | undefined {
  if (!letters.take("-") || ["]", undefined].includes(letters.peek())) return undefined
  return readPoint(letters)
}

function readPoint(letters: Letters): number {
  const letter = letters.next("missing ]")
  return letter === "\\" ? readEscape(letters) : codePoint(letter)
}

function readPosixClass(letters: Letters, folds: boolean): Folded | undefined {
  const name = letters.attempt(() => (letters.take("[:") ? letters.until(":]") : undefined))
  if (name === undefined) return undefined
  const set = POSIX.get(name.replace(/^\^/, ""))
  if (set === undefined) throw new InvalidRegex(`[:${name}:] is no class`)
  return signed(foldedIf(folds, set), name.startsWith("^"))
}

/** Reads the code point that an escape stands for; the backslash is behind. */
export function readEscape(letters: Letters): number {
  const letter = letters.next("a backslash at the end")
  const control = { a: 7, f: 12, n: 10, r: 13, t: 9, v: 11 }[letter]
  if (control !== undefined) return control
  if (letter === "x") return readHexadecimal(letters)
  if (letter === "0" || (/^[1-7]$/.test(letter) && /^[0-7]$/.test(letters.peek() ?? ""))) {
    return Number.parseInt(letter + letters.digits(/^[0-7]$/, 2), 8)
  }
  if (codePoint(letter) < 0x80 && !/^[0-9A-Za-z]$/.test(letter)) return codePoint(letter)
  throw new InvalidRegex(`\\${letter} is no RE2 syntax`)
}

function readHexadecimal(letters: Letters): number {
  const invalid = "\\x needs two hexadecimal digits, or some in braces"
  const digits = letters.take("{") ? letters.until("}") : letters.next(invalid) + letters.next(invalid)
  const value = digits !== undefined && /^[0-9A-Fa-f]+$/.test(digits) ? Number.parseInt(digits, 16) : Infinity
  if (value > MAX_CODE_POINT) throw new InvalidRegex(invalid)
  return value
}
