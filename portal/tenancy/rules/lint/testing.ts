import assert from "node:assert/strict"
import type { Rule, RuleGroup } from "../model/group.ts"
import { targetOf } from "../validation/targets.ts"
import { type GroupToLint, lintGroups } from "./lint-groups.ts"

export const target = targetOf("prometheus-3.14", ["promql-experimental-functions", "promql-binop-fill-modifiers"])

export function from(source: string, group: Partial<RuleGroup>, tenants?: readonly string[]): GroupToLint<string> {
  return { group: { name: "g", rules: [], ...group }, source, origin: source, tenants }
}

/** Each finding as `origin path check "the part": message`. */
export function lint(...groups: readonly GroupToLint<string>[]): readonly string[] {
  return lintGroups(groups, target).map(({ origin, path, check, span, message, severity }) => {
    assert.equal(severity, "lint")
    const [, index, ...rest] = path
    const rule: unknown = groups.find((one) => one.origin === origin)?.group.rules[Number(index)]
    const text = rest.reduce<unknown>((value, key) => (value as Record<string, unknown>)[key], rule)
    const part = span === undefined ? "" : ` ${String(text).slice(span.from, span.to)}`
    return `${path.slice(1).join(".")} ${check}${part}: ${message}`
  })
}

export const lintRules = (...rules: readonly Rule[]) => lint(from("a", { rules }))
export const lintAlert = (expr: string, more: Partial<Rule> = {}) => lintRules({ alert: "A", expr, ...more })
export const lintRecord = (expr: string) => lintRules({ record: "r", expr })

export const AS_SOON = "fires as soon as there are series: compare their values, such as with > 0"
