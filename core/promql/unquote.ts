/** Of control characters; others stand for themselves. */
const SIMPLE: Readonly<Record<string, string>> = { a: "\x07", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t", v: "\v" }
const ESCAPE = /^\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([0-7]{3})|([abfnrtv\\'"]))/

/** Why a string literal is none, and where in it. */
export class BadString {
  readonly offset: number
  readonly problem: string
  /** The literal is well-formed: only its value is not UTF-8. */
  readonly notUnicode: boolean
  constructor(offset: number, problem: string, notUnicode = false) {
    this.offset = offset
    this.problem = problem
    this.notUnicode = notUnicode
  }
}

/**
 * The value of a PromQL string literal in double, single or back quotes: Go's escapes, where \x and octal ones are bytes.
 * A value that is not UTF-8 is refused (Prometheus takes it, no label can hold it).
 */
export function unquote(literal: string): string | BadString {
  const quote = literal[0] ?? ""
  if (literal.length < 2 || !literal.endsWith(quote)) return new BadString(0, "a string that does not end")
  const text = literal.slice(1, -1)
  // Prometheus cannot distinguish the replacement character from broken UTF-8; \ufffd is understood
  const replacement = text.indexOf("\ufffd")
  if (replacement !== -1) return new BadString(replacement + 1, "invalid UTF-8")
  return quote === "`" ? text : unescape(text, quote)
}

function unescape(text: string, quote: string): string | BadString {
  const bytes: Buffer[] = []
  let at = 0
  while (at < text.length) {
    const next = text.indexOf("\\", at)
    const plain = text.slice(at, next === -1 ? undefined : next)
    if (plain.includes("\n")) return new BadString(at + plain.indexOf("\n") + 1, "a line break inside quotes")
    bytes.push(Buffer.from(plain, "utf8"))
    if (next === -1) break
    const escape = ESCAPE.exec(text.slice(next, next + 10))
    const value = escape === null ? undefined : valueOf(escape, quote)
    if (escape === null || value === undefined) {
      return new BadString(next + 1, `the unknown escape ${JSON.stringify(text.slice(next, next + 2))}`)
    }
    bytes.push(value)
    at = next + escape[0].length
  }
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Buffer.concat(bytes))
  } catch {
    return new BadString(1, "a value that is not UTF-8", true)
  }
}

function valueOf(escape: RegExpExecArray, quote: string): Buffer | undefined {
  const [, x, u, U, octal, simple] = escape
  if (simple !== undefined) {
    if ((simple === "'" || simple === '"') && simple !== quote) return undefined
    return Buffer.from(SIMPLE[simple] ?? simple)
  }
  const byte = x === undefined ? Number.parseInt(octal ?? "", 8) : Number.parseInt(x, 16)
  if (!Number.isNaN(byte)) return byte > 0xff ? undefined : Buffer.from([byte])
  const point = Number.parseInt(u ?? U ?? "", 16)
  if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return undefined
  return Buffer.from(String.fromCodePoint(point), "utf8")
}
