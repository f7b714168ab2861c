import type { Scalar } from "yaml"

/**
 * Where each UTF-16 unit of a scalar's value stands in the text of its file, and after them where the value ends; undefined
 * where that cannot be told. Spaces and line breaks may be folded or escaped: their places are only near.
 */
export function scalarOffsets(scalar: Scalar, text: string): readonly number[] | undefined {
  const { value, range, type } = scalar
  if (typeof value !== "string" || !range) return undefined
  const isDouble = type === "QUOTE_DOUBLE"
  const offsets: number[] = []
  let at = range[0]
  if (type === "BLOCK_LITERAL" || type === "BLOCK_FOLDED") at = text.indexOf("\n", at) + 1
  else if (isDouble || type === "QUOTE_SINGLE") at += 1
  while (offsets.length < value.length) {
    // what is not blank stands in the source in the same order, as itself or escaped
    const next = skip(text, at, isDouble ? BLANKS_AND_ESCAPED : BLANKS)
    for (; isBlank(value[offsets.length]); at = Math.min(at + 1, next)) offsets.push(at)
    if (offsets.length === value.length) break
    const unit = value[offsets.length] ?? ""
    const escaped = isDouble && text[next] === "\\" ? escapeLength(text[next + 1]) : 0
    if (escaped === 0 && text[next] !== unit) return undefined
    offsets.push(next)
    // \U may be two units
    if (escaped === 10 && /[\ud800-\udbff]/.test(unit)) offsets.push(next)
    at = next + (escaped || (type === "QUOTE_SINGLE" && unit === "'" ? 2 : 1))
  }
  return [...offsets, at]
}

const BLANKS = /[ \t\r\n]*/y
const BLANKS_AND_ESCAPED = /(?:[ \t\r\n]|\\(?:[ntr \t\r\n]|(?:x|u00|U000000)(?:20|09|0[aAdD])))*/y

const isBlank = (unit: string | undefined): boolean => unit !== undefined && /[ \t\r\n]/.test(unit)

/** Past what matches from there on. */
function skip(text: string, from: number, pattern: RegExp): number {
  pattern.lastIndex = from
  return from + (pattern.exec(text)?.[0].length ?? 0)
}

const escapeLength = (kind = ""): number => ({ x: 4, u: 6, U: 10 })[kind] ?? 2
