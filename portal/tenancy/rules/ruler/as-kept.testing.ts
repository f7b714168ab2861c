import { parseRuleDuration } from "../model/duration.ts"
import type { RuleGroup } from "../model/group.ts"
import type { RulerType } from "./paths.ts"

/** What a ruler makes of a group: known fields alone, other spellings of durations, nothing that is empty. */
export function asKept({ name, rules, ...group }: RuleGroup, type: RulerType): RuleGroup {
  const keep = (fields: object, known: readonly string[]) =>
    Object.fromEntries(
      Object.entries(fields).flatMap(([field, value]: [string, unknown]) => {
        const kept = DURATIONS.has(field) ? spelt(String(value), field, type) : value
        const isEmpty =
          kept === undefined ||
          kept === 0 ||
          kept === false ||
          (typeof kept === "object" && Object.keys(kept ?? {}).length === 0)
        return known.includes(field) && !isEmpty ? [[field, kept]] : []
      }),
    )
  return {
    name,
    ...keep(group, GROUP_FIELDS[type]),
    rules: rules.map((rule) => ({ ...keep(rule, RULE_FIELDS), expr: rule.expr })),
  }
}

const GROUP_FIELDS = {
  cortex: ["interval", "query_offset", "limit", "labels"],
  // since 3.0, before that without labels
  mimir: [
    ...["interval", "query_offset", "labels", "source_tenants"],
    ...["align_evaluation_time_on_interval", "evaluation_delay"],
  ],
} as const
const RULE_FIELDS = ["record", "alert", "for", "keep_firing_for", "labels", "annotations"]
const DURATIONS = new Set(["interval", "query_offset", "evaluation_delay", "for", "keep_firing_for"])
const UNITS = [
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
  ["ms", 1],
] as const

function spelt(text: string, field: string, type: RulerType): string | undefined {
  let left = Number(parseRuleDuration(text))
  if (left === 0) return field === "query_offset" && type === "cortex" ? "0s" : undefined
  return UNITS.map(([unit, size]) => {
    const count = Math.floor(left / size)
    left -= count * size
    return count === 0 ? "" : `${count}${unit}`
  }).join("")
}
