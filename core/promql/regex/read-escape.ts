import { MAX_CODE_POINT } from "./code-points.ts"
import { codePoint, type Letters } from "./letters.ts"
import { InvalidRegex } from "./undecidable.ts"

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
