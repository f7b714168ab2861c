import type { Rule, RuleGroup } from "./group.ts"
import {
  absentFields,
  duration,
  durationOrNone,
  expression,
  type Fields,
  fieldsOf,
  listBy,
  map,
  numberOrNone,
  type Same,
  sameFields,
  set,
  text,
  textOrNone,
  trueOrNone,
} from "./same-fields.ts"

const RULE: Fields<Rule> = {
  record: textOrNone,
  alert: textOrNone,
  expr: expression,
  for: durationOrNone,
  keep_firing_for: durationOrNone,
  labels: map,
  annotations: map,
}

const GROUP: Fields<RuleGroup> = {
  name: text,
  interval: durationOrNone,
  // 0s is not the default of the ruler
  query_offset: duration,
  evaluation_delay: duration,
  limit: numberOrNone,
  labels: map,
  rules: listBy(RULE),
  source_tenants: set,
  align_evaluation_time_on_interval: trueOrNone,
}

/** Whether a ruler does the same with both: whatever order maps are in, however durations and expressions are written. */
export function sameGroup(a: RuleGroup, b: RuleGroup): boolean {
  return a === b || sameFields(fieldsOf(GROUP), a, b)
}

/**
 * Fields of `desired`, and of its rules, that `present` lacks; undefined where they differ in anything else. Rulers drop fields
 * that they do not know.
 */
export function fieldsLost(present: RuleGroup, desired: RuleGroup): readonly string[] | undefined {
  if (present.rules.length !== desired.rules.length) return undefined
  const ofGroup = absentFields(fieldsOf({ ...GROUP, rules: () => true }), present, desired)
  const ofRules = desired.rules.map((rule, index) => absentFields(fieldsOf(RULE), present.rules[index] ?? {}, rule))
  const all = [ofGroup, ...ofRules]
  return all.includes(undefined) ? undefined : [...new Set(all.flatMap((fields) => fields ?? []))]
}

/** Missing, or the same. */
const lost =
  (same: Same): Same =>
  (present, desired) =>
    present === undefined || same(present, desired)

/**
 * Whether `present` is `desired` without fields of which the original informer knew nothing, and which it lost: then it may
 * have written it.
 */
export function sameButDropped(present: RuleGroup, desired: RuleGroup): boolean {
  const rule = { ...RULE, keep_firing_for: lost(RULE.keep_firing_for) }
  const { limit, query_offset, labels } = GROUP
  const group = { limit: lost(limit), query_offset: lost(query_offset), labels: lost(labels), rules: listBy(rule) }
  return sameGroup(present, desired) || sameFields(fieldsOf({ ...GROUP, ...group }), present, desired)
}
