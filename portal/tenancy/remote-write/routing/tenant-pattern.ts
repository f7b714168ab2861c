import { RE2JS } from "re2js"
import { Wrong } from "#core/config/settings.ts"
import { explain } from "#core/errors.ts"

/** Characters of a value in which a tenant is looked for: the time is linear in them, and they are a sender's. */
export const LONGEST_MATCHED = 512

/** A dot is any character, as in Prometheus' own relabelling. */
const compile = (pattern: string): RE2JS => RE2JS.compile(pattern, RE2JS.DOTALL)

/** What the capture holds of a value that the whole pattern matches; undefined where it does not match, or holds nothing. */
export type Capture = (value: string) => string | undefined

/** Throws where `parsePattern` refuses the pattern. */
export function compilePattern(pattern: string): Capture {
  const compiled = compile(pattern)
  return (value) => {
    const matcher = compiled.matcher(value)
    return (matcher.matches() && matcher.group(1)) || undefined
  }
}

/** The pattern itself, or what is wrong with it. */
export function parsePattern(pattern: string): string | Wrong {
  let captures: number
  try {
    captures = compile(pattern).groupCount()
  } catch (error) {
    const reason = explain(error)
      .replace(/^error parsing regexp: /, "")
      .replace("`(?s)", "`")
    return new Wrong(`must be a regular expression as RE2 reads them: ${reason}`)
  }
  if (captures === 1) return pattern
  return new Wrong(`must have one capture such as team-(.+), and (?:…) for other groups; it has ${captures}`)
}

/** Text outside of the capture is fixed: two values with one capture are one value. Sound, not complete. */
export const isOneToOne = (pattern: string): boolean =>
  /^\^?(?:[\w\-/:=@ ]|\\[.\-/])*\([^()]*\)(?:[\w\-/:=@ ]|\\[.\-/])*\$?$/.test(pattern)
