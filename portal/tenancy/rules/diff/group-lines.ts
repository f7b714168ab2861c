import { stringify } from "yaml"
import type { Rule, RuleGroup } from "../model/group.ts"
import { sameGroup } from "../model/same-group.ts"
import { unified } from "./unified.ts"

/** What becomes of a group at a ruler; undefined: it is not there. */
export interface GroupChange {
  readonly before: RuleGroup | undefined
  readonly after: RuleGroup | undefined
}

/** Its lines, each with the sign of a diff. */
export function changedLines({ before, after }: GroupChange): readonly string[] {
  if (before === undefined) return linesOf(after).map((line) => `+${line}`)
  if (after === undefined) return linesOf(before).map((line) => `-${line}`)
  return unified(linesOf(before), linesOf(spelledAs(before, after)))
}

const GROUP = ["name", "interval", "query_offset", "limit", "labels"]
const RULE = ["record", "alert", "expr", "for", "keep_firing_for", "labels", "annotations"]

function linesOf(group: RuleGroup | undefined): readonly string[] {
  if (group === undefined) return []
  const { rules, ...fields } = group
  const shown = { ...inOrder(fields, GROUP), rules: rules.map((rule) => inOrder(rule, RULE)) }
  return stringify(shown, { lineWidth: 0, version: "1.1" }).trimEnd().split("\n").map(withoutControls)
}

/** Known fields first, maps by their keys. */
function inOrder(fields: object, order: readonly string[]): object {
  const rank = (name: string): number => (order.includes(name) ? order.indexOf(name) : order.length)
  const sorted = Object.entries(fields).toSorted(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1))
  return Object.fromEntries(
    sorted.map(([name, value]: [string, unknown]) => [
      name,
      typeof value === "object" && value !== null && !Array.isArray(value) ? inOrder(value, []) : value,
    ]),
  )
}

/** `after` with each field as `before` writes it, where both mean the same: what is shown is what changes. */
function spelledAs(before: RuleGroup, after: RuleGroup): RuleGroup {
  const rules = after.rules.map((rule, index) => {
    const known = before.rules[index]
    const alone = (one: Rule): RuleGroup => ({ name: "", rules: [one] })
    return known === undefined ? rule : fieldsAs(known, rule, (a, b) => sameGroup(alone(a), alone(b)))
  })
  const { rules: _, ...fields } = fieldsAs({ ...before, rules: [] }, { ...after, rules: [] }, sameGroup)
  return { ...fields, rules }
}

function fieldsAs<T extends object>(before: T, after: T, same: (a: T, b: T) => boolean): T {
  let result = after
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)] as (keyof T)[])) {
    const { [name]: _, ...others } = result
    const spelled = (name in before ? { ...result, [name]: before[name] } : others) as T
    if (same(spelled, result)) result = spelled
  }
  return result
}

/** What a terminal may take for a command, or does not show. */
const withoutControls = (line: string): string =>
  line.replaceAll(
    /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  )
