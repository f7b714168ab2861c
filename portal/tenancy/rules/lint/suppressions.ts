import type { Comments, DisablingComment } from "./comments.ts"

export interface Suppressions {
  /** Whether a comment disables the check for the rule that begins in that line, or for what stands in the finding's own. */
  readonly covers: (check: string, rule: number, line: number) => boolean
  /** Comments that stand at no rule. */
  readonly idle: readonly DisablingComment[]
}

/**
 * A comment is of the rule in whose lines it stands, or of the one right below it. `rules` and `groups` are the lines where
 * they begin.
 */
export function suppressions(
  text: string,
  { disabling, ignored }: Comments,
  rules: readonly number[],
  groups: readonly number[],
): Suppressions {
  const lines = text.split("\n")
  const ofRule = new Set(rules)
  const begins = [...ofRule.union(new Set(groups))]
    .map((line) => ({ line, from: withCommentsAbove(line, lines), isRule: ofRule.has(line) }))
    .toSorted((a, b) => a.from - b.from)
  const ofFile = new Set(disabling.flatMap(({ scope, check }) => (scope === "file" ? [check] : [])))
  const ofRules = disabling
    .filter(({ scope }) => scope === "rule")
    .map((comment) => ({ comment, begin: begins.findLast(({ from }) => from <= comment.line) }))
  return {
    covers: (check, rule, line) =>
      ignored(line) ||
      ofFile.has(check) ||
      ofRules.some(({ comment, begin }) => comment.check === check && begin?.line === rule),
    idle: ofRules.filter(({ begin }) => begin?.isRule !== true).map(({ comment }) => comment),
  }
}

function withCommentsAbove(line: number, lines: readonly string[]): number {
  let first = line
  while (/^\s*#/.test(lines[first - 2] ?? "")) first--
  return first
}
