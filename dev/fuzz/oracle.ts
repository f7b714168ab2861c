import { RE2JS } from "re2js"
import type { Matcher } from "#core/promql/selector.ts"

/** Judges words by re2js, which shares no code with the automata. */
export interface Oracle {
  /** `dotAll`: as Prometheus 3 reads a bare dot. */
  accepts(matcher: Matcher, word: string, dotAll: boolean): boolean
}

export function createOracle(): Oracle {
  const compiled = new Map<string, RE2JS>()
  const known = new Map<string, boolean>()
  const regex = (pattern: string, dotAll: boolean): RE2JS => {
    const key = `${dotAll} ${pattern}`
    const made = compiled.get(key) ?? RE2JS.compile(pattern, dotAll ? RE2JS.DOTALL : 0)
    compiled.set(key, made)
    return made
  }
  const matches = (pattern: string, word: string, dotAll: boolean): boolean => {
    const key = `${dotAll} ${pattern}\0${word}`
    const result = known.get(key) ?? regex(pattern, dotAll).matches(word)
    known.set(key, result)
    return result
  }
  return {
    accepts: ({ op, value }, word, dotAll) => {
      const positive = op === "=" || op === "!=" ? value === word : matches(value, word, dotAll)
      return positive === (op === "=" || op === "=~")
    },
  }
}
