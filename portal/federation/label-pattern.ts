import { compile } from "#core/promql/compiled.ts"
import { Budget } from "#core/promql/regex/search.ts"
import { Undecidable } from "#core/promql/regex/undecidable.ts"

const STEPS = 100_000

/** Whether names of labels match the regex of a relabelling rule; undefined where that cannot be decided. */
export function labelPattern(regex: string): (label: string) => boolean | undefined {
  const { matchers } = compile([{ label: "label", op: "=~", value: regex }])
  return (label) => {
    try {
      const budget = new Budget(STEPS)
      return matchers.every((matcher) => matcher.accepts(label, { dotAll: true, bound: "at most" }, budget))
    } catch (error) {
      if (error instanceof Undecidable) return undefined
      throw error
    }
  }
}
