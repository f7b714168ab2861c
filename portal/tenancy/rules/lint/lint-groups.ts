import { duplicates } from "#core/config/faults.ts"
import type { Path } from "#core/config/config-file.ts"
import type { Expression } from "#core/promql/expressions/expression.ts"
import { readExpression } from "#core/promql/expressions/read-expression.ts"
import { quote } from "../../tenants/quote.ts"
import type { Rule, RuleGroup } from "../model/group.ts"
import type { Problem } from "../validation/problem.ts"
import type { Target } from "../validation/target.ts"
import { checkComparison, isConditional } from "./check-comparison.ts"
import { checkFragile } from "./check-fragile.ts"
import { checkImpossible } from "./check-impossible.ts"
import { checkRegexps } from "./check-regexp.ts"
import { checkTemplateUse } from "./check-templates.ts"
import { goneRecords, lateRecords, recordsOf } from "./dependencies.ts"
import type { Lint } from "./finding.ts"
import { ANY, type Labels } from "./labels.ts"
import { labelsOf } from "./labels-of.ts"

/** `origin` is whatever tells where the group is from; findings come with it. */
export interface GroupToLint<Origin> {
  readonly group: RuleGroup
  readonly origin: Origin
  /** Those that were validated together have the same one. */
  readonly source: unknown
  /** Who the rules are for; undefined: everybody. */
  readonly tenants?: readonly string[] | undefined
}

export type LintFinding<Origin> = Problem & { readonly origin: Origin }

interface ReadRule {
  readonly rule: Rule
  readonly index: number
  /** undefined: it is not known. */
  readonly expression: Expression | undefined
}

/**
 * What the target accepts of valid groups and is probably not meant. Groups may be of several files. `base` are those that
 * they replace.
 */
export function lintGroups<Origin>(
  groups: readonly GroupToLint<Origin>[],
  target: Target,
  base: readonly RuleGroup[] = [],
): readonly LintFinding<Origin>[] {
  const records = recordsOf(groups.map(({ group }) => group))
  const gone = new Set([...recordsOf(base).keys()].filter((name) => !records.has(name)))
  const read = groups.map((one) => ({
    ...one,
    rules: one.group.rules.map((rule, index): ReadRule => {
      const reading = readExpression(rule.expr, target.dialect)
      return { rule, index, expression: reading.verdict === "valid" ? reading.expression : undefined }
    }),
  }))
  const conditional = conditionalRecords(read.flatMap(({ rules }) => rules))
  return [
    ...read.flatMap(({ group, origin, rules }) =>
      rules.flatMap((rule) => {
        const findings = new RuleFindings(rule)
        const { expression, index } = rule
        if (expression === undefined) return []
        lintExpression(expression, rule, conditional, target, findings)
        for (const { span, message } of [
          ...lateRecords(expression, { group, index }, records),
          ...goneRecords(expression, gone),
        ])
          findings.inExpression("rule/dependency", span, message)
        return findings.found.map((problem) => ({ ...problem, origin }))
      }),
    ),
    ...doubleRecords(read),
  ]
}

/** Metrics of which all recording rules have a condition, so that their series exist only while it holds. */
function conditionalRecords(rules: readonly ReadRule[]): ReadonlySet<string> {
  const recording = Map.groupBy(
    rules.filter(({ rule }) => rule.record !== undefined),
    ({ rule }) => rule.record ?? "",
  )
  const none: ReadonlySet<string> = new Set()
  const holds = ({ expression }: ReadRule): boolean => expression === undefined || isConditional(expression, none)
  return new Set([...recording].flatMap(([name, all]) => (all.every(holds) ? [name] : [])))
}

class RuleFindings {
  readonly found: Problem[] = []
  readonly #path: Path

  constructor({ index }: ReadRule) {
    this.#path = ["rules", index]
  }

  add(check: Lint, path: Path, { from, to }: { readonly from: number; readonly to: number }, message: string): void {
    this.found.push({ severity: "lint", check, path: [...this.#path, ...path], span: { from, to }, message })
  }

  inExpression(check: Lint, span: { readonly from: number; readonly to: number }, message: string): void {
    this.add(check, ["expr"], span, message)
  }
}

function lintExpression(
  expression: Expression,
  { rule }: ReadRule,
  conditional: ReadonlySet<string>,
  target: Target,
  findings: RuleFindings,
): void {
  const labels = labelsOf(expression)
  const isAlert = rule.alert !== undefined
  const all = [
    ...(isAlert ? checkComparison(expression, conditional) : []),
    ...(isAlert ? checkFragile(expression, labels) : []),
    ...checkImpossible(expression, labels),
    ...checkRegexps(expression),
  ]
  for (const { check, span, message } of all) findings.inExpression(check, span, message)
  if (isAlert) lintTemplates(rule, labels.get(expression) ?? ANY, target, findings)
}

function lintTemplates(rule: Rule, alert: Labels, target: Target, findings: RuleFindings): void {
  for (const field of ["labels", "annotations"] as const) {
    for (const [name, text] of Object.entries(rule[field] ?? {})) {
      for (const { span, message } of checkTemplateUse(text, field, alert, target))
        findings.add("alerts/template", [field, name], span, message)
    }
  }
}

/** Of several sources: what one has twice is found when it is validated. */
function doubleRecords<Origin>(groups: readonly GroupToLint<Origin>[]): readonly LintFinding<Origin>[] {
  const all = groups.flatMap((of) => of.group.rules.map((rule, index) => ({ of, rule, index })))
  const found = duplicates(all, ({ of, rule }) => {
    if (rule.record === undefined) return undefined
    const labels = Object.entries({ ...of.group.labels, ...rule.labels })
    return JSON.stringify([rule.record, labels.toSorted(([a], [b]) => (a < b ? -1 : 1))])
  })
  return found.flatMap(([{ of, rule, index }, { of: first }]) => {
    if (first.source === of.source || !shareTenants(first.tenants, of.tenants)) return []
    const where = `group ${quote(first.group.name)} of another file or resource`
    const message = `${where} records ${quote(rule.record ?? "")} with the same labels; where the results of both have the same labels, one is lost: change a name or label`
    return [{ severity: "lint", check: "rule/duplicate", path: ["rules", index], message, origin: of.origin }]
  })
}

function shareTenants(some: readonly string[] | undefined, others: readonly string[] | undefined): boolean {
  return some === undefined || others === undefined || some.some((tenant) => others.includes(tenant))
}
