import { compile } from "#core/promql/compiled.ts"
import { Budget } from "#core/promql/regex/search.ts"
import { Undecidable } from "#core/promql/regex/undecidable.ts"
import type { Matcher } from "#core/promql/selector.ts"

const STEPS = 100_000

/** Whether it may accept the value; also where that cannot be told. */
export function mayAccept(matcher: Matcher, value: string): boolean {
  const [compiled] = compile([matcher]).matchers
  if (compiled === undefined || compiled.problem("at most") !== undefined) return true
  try {
    return compiled.accepts(value, { dotAll: true, bound: "at most" }, new Budget(STEPS))
  } catch (error) {
    if (error instanceof Undecidable) return true
    throw error
  }
}

/** Whether it may select series without the label. */
export function acceptsEmpty(matcher: Matcher): boolean {
  return mayAccept(matcher, "")
}
