import type { Path } from "#core/config/config-file.ts"
import { parseRuleDuration } from "../model/duration.ts"
import type { Rule } from "../model/group.ts"
import { checkExpression } from "./check-expression.ts"
import { checkFields } from "./check-fields.ts"
import { checkTemplates } from "./check-templates.ts"
import type { Findings } from "./findings.ts"
import { checkLabelName, checkLabels, checkMetricName } from "./names.ts"
import { type Fields, isFields } from "../fields.ts"
import { kindOf, optional, readDuration, readText, readTexts } from "./read-values.ts"
import type { Target } from "./target.ts"

/** The rule as it would be written, as far as it can be read; errors are in the findings. */
export function validateRule(value: unknown, path: Path, target: Target, findings: Findings): Rule | undefined {
  if (!isFields(value))
    return findings.error("schema", path, `must be a rule with record or alert, but is ${kindOf(value)}`)
  checkFields(value, "rule", path, target, findings)
  const name = readName(value, path, target, findings)
  const expr = readText(value.expr, [...path, "expr"], findings)
  if (expr?.trim() === "")
    findings.error(
      "schema",
      [...(value.expr === undefined ? path : [...path, "expr"])],
      "has no expr; add the expression",
    )
  else if (expr !== undefined) checkExpression(expr, [...path, "expr"], target, findings)

  const annotations = readTexts(value.annotations, [...path, "annotations"], findings)
  const labels = readTexts(value.labels, [...path, "labels"], findings)
  if (labels !== undefined) checkLabels(labels, [...path, "labels"], target, findings)
  for (const annotation of Object.keys(annotations ?? {}))
    checkLabelName(annotation, [...path, "annotations", annotation], target, findings)
  const dropsEmpty = target.emptyDurations === "dropped"
  const rule: Rule = {
    ...name,
    expr: expr ?? "",
    ...optional("for", readDuration(value.for, [...path, "for"], findings, dropsEmpty)),
    ...optional(
      "keep_firing_for",
      readDuration(value.keep_firing_for, [...path, "keep_firing_for"], findings, dropsEmpty),
    ),
    ...optional("labels", labels),
    ...optional("annotations", annotations),
  }
  if (rule.record !== undefined) return withoutAlerting(rule, path, findings)
  if (rule.alert !== undefined) {
    checkTemplates(labels ?? {}, [...path, "labels"], target, findings)
    checkTemplates(annotations ?? {}, [...path, "annotations"], target, findings)
  }
  return rule
}

/** `record` or `alert`; neither with an error. */
function readName(value: Fields, path: Path, target: Target, findings: Findings): Pick<Rule, "record" | "alert"> {
  const record = readText(value.record, [...path, "record"], findings)
  const alert = readText(value.alert, [...path, "alert"], findings)
  if (record === undefined || alert === undefined) return {}
  if (record !== "" && alert !== "") {
    findings.error("rule/name", [...path, "alert"], "has both record and alert; make two rules of it")
    return {}
  }
  const empty = record !== "" ? "alert" : "record"
  if (target.nullNames === "text" && record !== alert && value[empty] === null) {
    findings.error("rule/name", [...path, empty], `is the text "null" for ${target.name}; remove the line`)
    return {}
  }
  if (record !== "") {
    checkMetricName(record, [...path, "record"], target, findings)
    return { record }
  }
  if (alert !== "") return { alert }
  findings.error("rule/name", path, "has neither record nor alert; add one of them")
  return {}
}

/** Fields of alerts are refused on recording rules, unless they are empty or zero. */
function withoutAlerting(rule: Rule, path: Path, findings: Findings): Rule {
  const { annotations = {}, for: delay = "0", keep_firing_for: kept = "0", ...recording } = rule
  const given = [
    ["annotations", Object.keys(annotations).length > 0],
    ["for", parseRuleDuration(delay) !== 0],
    ["keep_firing_for", parseRuleDuration(kept) !== 0],
  ] as const
  for (const [field, isGiven] of given)
    if (isGiven) findings.error("schema", [...path, field], "is only for alerts, and this rule records; remove it")
  return recording
}
