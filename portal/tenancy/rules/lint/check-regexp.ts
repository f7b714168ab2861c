import type { Expression } from "#core/promql/expressions/expression.ts"
import { parseRegex } from "#core/promql/regex/parse.ts"
import type { Regex } from "#core/promql/regex/tree.ts"
import { Undecidable } from "#core/promql/regex/undecidable.ts"
import type { Matcher } from "#core/promql/selector.ts"
import { quote } from "../../tenants/quote.ts"
import type { Finding } from "./finding.ts"
import { allWithin } from "./walk.ts"

/** Regular expressions that need not be ones, and such as take a label apart that should be several. */
export function checkRegexps(root: Expression): readonly Finding[] {
  return allWithin(root).flatMap((expression) => {
    if (expression.kind !== "selector") return []
    return expression.matchers.flatMap((matcher) => {
      const message = matcher.op === "=~" || matcher.op === "!~" ? judge(matcher) : undefined
      return message === undefined ? [] : [{ check: "promql/regexp" as const, span: expression, message }]
    })
  })
}

function judge({ label, op, value }: Matcher): string | undefined {
  const shown = `${label}${op}${quote(value)}`
  const parts = partsOf(value)
  if (parts === undefined) return undefined
  const literal = literalOf(parts)
  if (literal !== undefined)
    return `${shown} has no pattern: write ${label}${op === "=~" ? "=" : "!="}${quote(literal)}`
  if (isAnchor(parts[0], "start") || isAnchor(parts.at(-1), "end")) {
    return `${shown} is anchored anyway: remove ^ and $`
  }
  const [first] = parts
  if (parts.length === 1 && first !== undefined && isWildcard(first) && first.min === 0 && op === "=~") {
    return `${shown} matches every value, and none at all: remove it`
  }
  if (op === "=~" && isSmelly(parts)) {
    return `${shown} takes a value apart: give what it joins labels of their own, and match those`
  }
  return undefined
}

function partsOf(pattern: string): readonly Regex[] | undefined {
  try {
    const regex = parseRegex(pattern)
    return regex.kind === "concat" ? regex.parts : [regex]
  } catch (error) {
    if (error instanceof Undecidable) return undefined
    throw error
  }
}

function literalOf(parts: readonly Regex[]): string | undefined {
  const letters = parts.map(letterOf)
  return letters.includes(undefined) ? undefined : letters.join("")
}

function letterOf(part: Regex): string | undefined {
  if (part.kind !== "set" || part.folds || part.set.length !== 2 || part.set[0] !== part.set[1]) return undefined
  return String.fromCodePoint(part.set[0] ?? 0)
}

function isAnchor(part: Regex | undefined, side: "start" | "end"): boolean {
  return part?.kind === "assert" && (part.assertion === `text ${side}` || part.assertion === `line ${side}`)
}

function isWildcard(part: Regex): part is Regex & { readonly kind: "repeat" } {
  return part.kind === "repeat" && part.max === Infinity && part.part.kind === "dot"
}

/** Words with a separator around something, such as `shop-.+-production`. In paths that is what they are made for. */
function isSmelly(parts: readonly Regex[]): boolean {
  const shape = parts.map((part) => (isWildcard(part) ? "\u0000" : (letterOf(part) ?? "\u0001"))).join("")
  // oxlint-disable-next-line no-control-regex -- they stand for what is no literal
  return !shape.includes("/") && /[a-zA-Z][-_.]\u0000[-_.][a-zA-Z]/.test(shape)
}
