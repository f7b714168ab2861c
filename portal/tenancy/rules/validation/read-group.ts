import { Wrong } from "#core/config/settings.ts"
import { parseTenant } from "../../tenants/parse-tenant.ts"
import { parseRuleDuration } from "../model/duration.ts"
import type { Rule, RuleGroup } from "../model/group.ts"
import { checkFields } from "./check-fields.ts"
import type { Findings } from "./findings.ts"
import { checkLabels } from "./names.ts"
import { type Fields, isFields, isTooDeep, TOO_DEEP } from "../fields.ts"
import { kindOf, optional, readBoolean, readDuration, readList, readText, readTexts, readWhole } from "./read-values.ts"
import type { Steps } from "./steps.ts"
import type { Target } from "./target.ts"
import { validateRule } from "./validate-rule.ts"

/** As far as it can be read. */
export interface ReadGroup {
  readonly group: RuleGroup
  /** Its rules with where they stand in what was given. */
  readonly rules: readonly { readonly index: number; readonly rule: Rule }[]
}

/** Of a group as it would be written, rendered: what prometheus-operator accepts at most, and far from what stores hold. */
const LARGEST = 512 * 1024

/** Pauses after each rule. */
export function* readGroup(value: unknown, target: Target, findings: Findings): Steps<ReadGroup | undefined> {
  if (!isFields(value))
    return findings.error("schema", [], `must be a group with name and rules, but is ${kindOf(value)}`)
  if (isTooDeep(value)) return findings.error("schema", [], TOO_DEEP)
  checkFields(value, "group", [], target, findings)
  const name = readText(value.name, ["name"], findings)
  if (name === "") findings.error("group/name", value.name === undefined ? [] : ["name"], "has no name; add one")
  const fields = readFields(
    Object.fromEntries(Object.entries(value).filter(([field]) => target.groupFields.has(field))),
    target,
    findings,
  )
  const listed = readList(value.rules, ["rules"], findings)
  if (listed?.length === 0 && !target.acceptsEmptyGroups)
    findings.error(
      "group/empty",
      [],
      `has no rules, and ${target.dialect.name} refuses empty groups; add a rule or remove the group`,
    )
  const rules: { readonly index: number; readonly rule: Rule }[] = []
  for (const [index, item] of listed ?? []) {
    const rule = validateRule(item, ["rules", index], target, findings)
    if (rule !== undefined) rules.push({ index, rule })
    yield
  }
  const group: RuleGroup = { name: name ?? "", ...fields, rules: rules.map(({ rule }) => rule) }
  checkSize(group, target, findings)
  return { group, rules }
}

/** All but name and rules. */
function readFields(value: Fields, target: Target, findings: Findings): Omit<RuleGroup, "name" | "rules"> {
  const duration = (field: string): string | undefined =>
    readDuration(value[field], [field], findings, target.emptyDurations === "dropped")
  const offset = duration("query_offset")
  const delay = duration("evaluation_delay")
  if (offset !== undefined && delay !== undefined && parseRuleDuration(offset) !== parseRuleDuration(delay))
    findings.error(
      "schema",
      ["evaluation_delay"],
      "differs from query_offset, which replaces it; remove evaluation_delay",
    )
  const unlessDropped = (field: string, text: string | undefined): string | undefined => {
    if (text === undefined || target.zeroOffsets === "kept" || parseRuleDuration(text) !== 0) return text
    const { name } = target.dialect
    const instead = "takes ruler_evaluation_delay_duration of the tenant; write 1ms for none"
    findings.warn("schema", [field], `0s is dropped by ${name}, which then ${instead}`)
    return undefined
  }
  const labels = readTexts(value.labels, ["labels"], findings)
  if (labels !== undefined) checkLabels(labels, ["labels"], target, findings)
  return {
    ...optional("interval", duration("interval")),
    ...optional("query_offset", unlessDropped("query_offset", offset)),
    ...optional("limit", readWhole(value.limit, ["limit"], findings)),
    ...optional("labels", labels),
    ...optional("source_tenants", readSourceTenants(value.source_tenants, findings)),
    ...optional(
      "align_evaluation_time_on_interval",
      readBoolean(value.align_evaluation_time_on_interval, ["align_evaluation_time_on_interval"], findings),
    ),
    ...optional("evaluation_delay", unlessDropped("evaluation_delay", delay)),
  }
}

function readSourceTenants(value: unknown, findings: Findings): readonly string[] | undefined {
  if (value === undefined || value === null) return undefined
  return readList(value, ["source_tenants"], findings)?.flatMap(([index, item]) => {
    const tenant = typeof item === "string" ? parseTenant(item) : new Wrong(`must be text, but is ${kindOf(item)}`)
    if (!(tenant instanceof Wrong)) return [tenant]
    findings.error("schema", ["source_tenants", index], tenant.reason)
    return []
  })
}

function checkSize(group: RuleGroup, target: Target, findings: Findings): void {
  const size = Buffer.byteLength(JSON.stringify(group))
  if (size <= LARGEST) return
  const message = `has ${Math.ceil(size / 1024)} KiB, more than the 512 KiB`
  if (target.unknownFields === "dropped")
    findings.error("group/size", [], `${message} that are written to a ruler; split it`)
  else findings.warn("group/size", [], `${message} that prometheus-operator and rulers accept; split it`)
}
