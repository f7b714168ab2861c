/** A number or a duration as Prometheus' lexer takes it, which is not necessarily a valid one. */
export interface ScannedNumber {
  readonly kind: "number" | "duration"
  readonly to: number
}

/**
 * The number or duration that starts at `from`, or where what starts like one stops being it. `modern`: as from
 * Prometheus 3 on, with underscores; before, the digits are read by a simpler rule.
 */
export function scanNumber(text: string, from: number, modern: boolean): ScannedNumber | number {
  const scan = modern ? scanModern(text, from) : scanLegacy(text, from)
  if (scan.number && !isWordCharacter(text.charAt(scan.at))) return { kind: "number", to: scan.at }
  const rest = /(?:[smhdwy]s?)(?:\d+[smhdw]s?)*(?![\w])/y
  rest.lastIndex = scan.at
  return rest.test(text) ? { kind: "duration", to: rest.lastIndex } : scan.at
}

function scanLegacy(text: string, from: number): { number: boolean; at: number } {
  const number = /(?:0[xX][\da-fA-F]*(?:\.[\da-fA-F]*)?|\d*(?:\.\d*)?)(?:[eE][+-]?\d*)?/y
  number.lastIndex = from
  number.test(text)
  return { number: true, at: number.lastIndex }
}

/** Prometheus' rule by hand, since it is stranger than a pattern can tell: an `e` of a hexadecimal number may be an exponent. */
function scanModern(text: string, from: number): { number: boolean; at: number } {
  let at = from
  const accept = (set: RegExp): boolean => {
    const found = set.test(text.charAt(at))
    if (found) at++
    return found
  }
  let digit = /^[0-9]$/
  if (accept(/^0$/) && accept(/^[xX]$/)) {
    accept(/^_$/)
    digit = /^[0-9a-fA-F]$/
  }
  const hexadecimal = at - from > 1
  accept(/^\.$/)
  accept(digit)
  let dot = false
  let exponent = false
  for (;;) {
    if (accept(/^\.$/)) {
      if (dot || hexadecimal || accept(/^[_.]$/)) return { number: false, at }
      dot = true
    } else if (accept(/^[eE]$/)) {
      if (exponent) return { number: false, at }
      exponent = true
      accept(/^[+-]$/)
      if (at === text.length || accept(/^[._eE]$/)) return { number: false, at }
    } else if (accept(/^_$/)) {
      if (at === text.length || accept(/^[._eE]$/)) return { number: false, at }
    } else if (accept(digit)) {
      while (accept(digit));
    } else {
      return { number: true, at }
    }
  }
}

function isWordCharacter(character: string): boolean {
  return /^\w$/.test(character)
}
