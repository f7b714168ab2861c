import type { RuleGroup } from "../model/group.ts"

/** To YAML some of these are line breaks, and others are refused where they are not escaped. */
// oxlint-disable-next-line no-control-regex
const ESCAPED = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g

/**
 * A group as JSON, which is YAML in which no text can be read as something else. Rulers write it as YAML themselves, and cannot
 * read that again where a text of several lines begins with white space: it goes without that.
 */
export function writeGroup(group: RuleGroup): string {
  const rules = group.rules.map((rule) => ({ ...rule, expr: rule.expr.trim() }))
  return JSON.stringify({ ...group, rules }, (_, value: unknown) =>
    typeof value === "string" && /^\s/.test(value) && value.includes("\n") ? value.trimStart() : value,
  ).replaceAll(ESCAPED, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`)
}
