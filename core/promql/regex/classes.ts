import { type CodePoints, WORD } from "./code-points.ts"

const ranges = (text: string): CodePoints => Array.from(text).map((letter) => letter.charCodeAt(0))

/** What the letter after a backslash stands for. All are ASCII in RE2. */
export const PERL: ReadonlyMap<string, { readonly set: CodePoints; readonly negated: boolean }> = new Map([
  ["d", { set: ranges("09"), negated: false }],
  ["D", { set: ranges("09"), negated: true }],
  ["s", { set: ranges("\t\n\f\r  "), negated: false }],
  ["S", { set: ranges("\t\n\f\r  "), negated: true }],
  ["w", { set: WORD, negated: false }],
  ["W", { set: WORD, negated: true }],
])

/** What stands for itself in `[[:name:]]`, and is negated in `[[:^name:]]`. */
export const POSIX: ReadonlyMap<string, CodePoints> = new Map([
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
