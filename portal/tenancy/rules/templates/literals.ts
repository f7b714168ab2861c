const ESCAPE = /\\(?:x[\da-fA-F]{2}|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([0-7]{3})|([abfnrtv\\'"])|)/g
const CHARACTER = /^'(?:[^'\\]|\\(?:x..|u.{4}|U.{8}|[0-7]..|.))'$/su

/** Where, in a literal of Go that ends with its first character, an escape is none. */
export function badEscape(literal: string): number | undefined {
  const quote = literal[0]
  if (quote === "`") return undefined
  for (const { 0: all, 1: u, 2: U, 3: octal, 4: simple, index } of literal.matchAll(ESCAPE)) {
    const point = Number.parseInt(u ?? U ?? "0", 16)
    const otherQuote = (simple === "'" || simple === '"') && simple !== quote
    const outside = point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)
    if (all === "\\" || otherQuote || outside || Number.parseInt(octal ?? "0", 8) > 0xff) return index
  }
  return undefined
}

/** Between single quotes. */
export function isCharacter(literal: string): boolean {
  return CHARACTER.test(literal) && badEscape(literal) === undefined
}

const INTEGER = /^([+-]?)(0[xX](?:_?[\da-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+|0(?:_?[0-7])*|[1-9](?:_?\d)*)$/
const FLOAT = /^[+-]?(?:\d+(?:_\d+)*(?:\.(?:\d+(?:_\d+)*)?)?|\.\d+(?:_\d+)*)(?:[eE][+-]?\d+(?:_\d+)*)?$/
const HEX_FLOAT =
  /^[+-]?0[xX](?:((?:_?[\da-fA-F])+)\.?((?:[\da-fA-F](?:_?[\da-fA-F])*)?)|\.([\da-fA-F](?:_?[\da-fA-F])*))[pP]([+-]?\d+(?:_\d+)*)$/

/** A number as text/template takes it: an integer of 64 bits, a float in range, or imaginary. */
export function isNumber(literal: string): boolean {
  if (literal.endsWith("i")) return isFloat(literal.slice(0, -1))
  // all digits and too large: refused, although it would be a float
  return isInteger(literal) || (/[.eEpP]/.test(literal) && isFloat(literal))
}

/** Such as the halves of `1+2i`. */
export function isFloat(literal: string): boolean {
  if (FLOAT.test(literal)) return Number.isFinite(Number(literal.replaceAll("_", "")))
  const hexadecimal = HEX_FLOAT.exec(literal)
  if (hexadecimal === null) return false
  const [, whole = "", fraction = "", alone = "", exponent = ""] = hexadecimal.map((part) => part?.replaceAll("_", ""))
  const mantissa = Number.parseInt(`0${whole}${fraction}${alone}`, 16)
  return Number.isFinite(mantissa * 2 ** (Number(exponent) - 4 * (fraction + alone).length))
}

function isInteger(literal: string): boolean {
  const [, sign = "", digits] = INTEGER.exec(literal) ?? []
  if (digits === undefined) return false
  const plain = digits.replaceAll("_", "").replace(/^0(?=\d)/, "0o")
  // longer than any of 64 bits, and slow to read
  if (plain.replace(/^0[a-zA-Z]?0*/, "").length > 64) return false
  const value = BigInt(plain)
  return sign === "" ? value < 2n ** 64n : value < 2n ** 63n || (sign === "-" && value === 2n ** 63n)
}
