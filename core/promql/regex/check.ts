import { RE2JS, RE2JSException } from "re2js"
import { parseSyntax } from "./parse.ts"
import type { Regex } from "./tree.ts"
import { InvalidRegex, Undecidable } from "./undecidable.ts"

export type RegexVerdict =
  | { readonly verdict: "valid"; readonly matchesEmpty: boolean }
  | { readonly verdict: "invalid"; readonly reason: string }
  | { readonly verdict: "unknown"; readonly reason: string }

/** Go refuses programs of some 3 million instructions. */
const MAX_SIZE = 300_000
/** Of what is left to re2js, without its repetitions, which that would write out. */
const MAX_LENGTH = 1000
const MAX_REPEAT = 1000

/** Whether Prometheus compiles the value of a matcher with =~ or !~, and whether that matches the empty string. */
export function checkRegex(pattern: string): RegexVerdict {
  try {
    const regex = parseSyntax(withoutUnicodeClasses(withClosedQuote(pattern)))
    if (sizeOf(regex) > MAX_SIZE) return { verdict: "unknown", reason: "it repeats too much to be checked" }
    return { verdict: "valid", matchesEmpty: matchesEmpty(regex) }
  } catch (error) {
    if (error instanceof InvalidRegex) return { verdict: "invalid", reason: error.message }
    if (error instanceof Undecidable) return compileElsewhere(pattern, error.message)
    throw error
  }
}

/** `\pL` and the like become `\d`, which can stand wherever they can. Throws InvalidRegex for those that RE2 does not know. */
function withoutUnicodeClasses(pattern: string): string {
  const known = new Set<string>()
  return pattern.replaceAll(/\\Q[^]*?(?:\\E|$)|\\[pP](?:\{\^?\w{0,40}\}|[^])|\\[^]/gu, (written) => {
    if (!/^\\p/i.test(written)) return written
    if (!known.has(written)) {
      const compiled = compileElsewhere(written, "")
      if (compiled.verdict === "invalid") throw new InvalidRegex(compiled.reason)
      known.add(written)
    }
    return "\\d"
  })
}

/** What is nested deeper than can be read here is RE2 nonetheless. */
/** What is nested deeper than can be read here is RE2 nonetheless. */
function compileElsewhere(pattern: string, reason: string): RegexVerdict {
  if (pattern.length > MAX_LENGTH) return { verdict: "unknown", reason }
  let repeated = 1
  const once = pattern.replaceAll(
    /(?<!\\x)\{(0|[1-9]\d*)(,?)(0|[1-9]\d*|)\}/g,
    (written, min: string, comma: string, max: string) => {
      const [least, most] = [Number(min), Number(max || min)]
      repeated *= Math.max(most, 1)
      return least > most ? written : `{${Math.min(least, 1)}${comma}${max === "" ? "" : Math.min(most, 1)}}`
    },
  )
  if (repeated > MAX_REPEAT) return { verdict: "unknown", reason }
  try {
    const regex = RE2JS.compile(withClosedQuote(once), RE2JS.DOTALL)
    return { verdict: "valid", matchesEmpty: regex.matches("") }
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error
    return { verdict: "invalid", reason: error.message.replace("error parsing regexp: ", "") }
  }
}

/** Prometheus reads the expression before it puts a group around: \Q may be open at its end. */
function withClosedQuote(pattern: string): string {
  const last = [...pattern.matchAll(/\\Q[^]*?(?:\\E|$)|\\[^]/g)].at(-1)?.[0] ?? ""
  return last.startsWith("\\Q") && !/^\\Q[^]*\\E$/.test(last) ? `${pattern}\\E` : pattern
}

function matchesEmpty(regex: Regex): boolean {
  switch (regex.kind) {
    case "concat":
      return regex.parts.every(matchesEmpty)
    case "alternate":
      return regex.parts.some(matchesEmpty)
    case "repeat":
      return regex.min === 0 || matchesEmpty(regex.part)
    case "assert":
      return regex.assertion !== "word boundary"
    case "set":
    case "dot":
  }
  return false
}

function sizeOf(regex: Regex): number {
  if ("parts" in regex) return regex.parts.reduce((sum, part) => sum + sizeOf(part) + 1, 0)
  if (regex.kind !== "repeat") return 1
  return 1 + sizeOf(regex.part) * (regex.max === Infinity ? Math.max(regex.min, 1) : regex.max)
}
