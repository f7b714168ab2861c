import { PERL, POSIX } from "./classes.ts"
import { type CodePoints, fold, type Folded } from "./code-points.ts"
import { readEscape } from "./read-escape.ts"
import { codePoint, type Letters } from "./letters.ts"
import { exactly, signed, unionOf } from "./tree.ts"
import { InvalidRegex, Undecidable } from "./undecidable.ts"

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
  const perl = PERL.get(letter)
  if (perl === undefined) return undefined
  letters.take(letter)
  return signed(foldedIf(folds, perl.set), perl.negated)
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
