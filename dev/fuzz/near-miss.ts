import type { Matcher, MatchOp, Selector } from "#core/promql/selector.ts"
import type { Random } from "./random.ts"
import { nearMiss } from "./random-regex.ts"

const OPPOSITE: Readonly<Record<MatchOp, MatchOp>> = { "=": "!=", "!=": "=", "=~": "!~", "!~": "=~" }

/** The selector with one thing changed: what a client would try that may read the one and wants another. */
export function nearMissOf(random: Random, selector: Selector): Selector {
  const at = random.below(selector.length)
  const chosen = selector[at]
  if (chosen === undefined) return selector
  return selector.toSpliced(at, 1, ...changed(random, chosen))
}

function changed(random: Random, matcher: Matcher): readonly Matcher[] {
  const { op, value } = matcher
  const isRegex = op === "=~" || op === "!~"
  switch (random.below(7)) {
    case 0:
      return []
    case 1:
      return [{ ...matcher, op: OPPOSITE[op] }]
    case 2:
      return [{ ...matcher, op: isRegex ? "=" : "=~" }]
    case 3:
      return [{ ...matcher, op: "=~", value: isRegex ? `(?:${value})?` : ".*" }]
    case 4:
      return [
        { ...matcher, op: "=~", value: isRegex ? `${value}|${random.pick(["a", ".+", "", "x.*"])}` : `${value}?` },
      ]
    case 5:
      return [{ ...matcher, label: `${matcher.label}_` }]
    default:
      return [{ ...matcher, value: nearMiss(random, value) }]
  }
}
