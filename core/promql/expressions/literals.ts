import type { Span } from "./expression.ts"
import { excerpt, type Reading, textOf } from "./reading.ts"

const HEXADECIMAL = /^0x_?[\da-f]+(?:_[\da-f]+)*$/i
const OCTAL = /^0_?[0-7]+(?:_[0-7]+)*$/
const DECIMAL = /^(?:\d+(?:_\d+)*(?:\.(?:\d+(?:_\d+)*)?)?|\.\d+(?:_\d+)*)(?:e[+-]?\d+(?:_\d+)*)?$/i
const MAX_INTEGER = 2n ** 63n - 1n

/** From the largest on, as they must be written; in milliseconds. */
const UNITS: ReadonlyMap<string, number> = new Map([
  ["y", 31_536_000_000],
  ["w", 604_800_000],
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
  ["ms", 1],
])
/** In nanoseconds it must fit 64 bits: some 292 years. */
export const MAX_MILLISECONDS = Number(2n ** 63n) / 1e6

/** A number or a duration that may have one sign. */
export function literalOf(at: Span, reading: Reading): { readonly sign: 1 | -1; readonly text: string } {
  const text = textOf(at, reading)
  return { sign: text.startsWith("-") ? -1 : 1, text: text.replace(/^[-+](?:\s|#[^\r\n]*)*/, "") }
}

export function isDuration(text: string): boolean {
  return /[smhdwy]$/.test(text) && !/^0x/i.test(text)
}

/** As Go reads it: an integer with its prefix (a zero is one) if it fits 64 bits, else a decimal number. */
export function readUnsigned(text: string, at: Span, reading: Reading): number {
  if (/^inf$/i.test(text)) return Infinity
  if (/^nan$/i.test(text)) return NaN
  const digits = text.replaceAll("_", "")
  const integer = HEXADECIMAL.test(text)
    ? BigInt(digits.toLowerCase())
    : OCTAL.test(text)
      ? BigInt(`0o${digits}`)
      : undefined
  if (integer !== undefined && integer <= MAX_INTEGER) return Number(integer)
  const value = DECIMAL.test(text) ? Number(digits) : NaN
  if (Number.isNaN(value)) reading.report(at, `${excerpt(text)} is no number`)
  else if (value === Infinity) reading.report(at, `${excerpt(text)} is larger than any number; write Inf`)
  return value
}

/** Of `1h30m`, in milliseconds: every unit once, from the largest on. */
export function readDurationLiteral(text: string, at: Span, reading: Reading): number {
  const parts = [...text.matchAll(/(\d+)([a-z]+)/g)]
  const order = parts.map(([, , unit = ""]) => [...UNITS.keys()].indexOf(unit))
  const isOrdered = order.every((place, index) => place > (order[index - 1] ?? -1))
  if (!isOrdered || parts.map(([part]) => part).join("") !== text) {
    reading.report(at, `${excerpt(text)} is no duration; write each unit once, from y over w, d, h, m and s to ms`)
    return NaN
  }
  const milliseconds = parts.reduce((sum, [, count, unit = ""]) => sum + Number(count) * (UNITS.get(unit) ?? NaN), 0)
  if (milliseconds >= MAX_MILLISECONDS) reading.report(at, `${excerpt(text)} is more than 292 years`)
  return milliseconds
}
