import { duplicates } from "#core/config/faults.ts"
import { quote } from "../../tenants/quote.ts"
import type { Findings } from "./findings.ts"
import type { ReadGroup } from "./read-group.ts"

/**
 * Adds to its group's findings every rule whose series an earlier one has: one name, and the same labels with those of the
 * group, whatever the expression. As promtool does, which compares over the whole file, and alerts with records.
 */
export function reportDuplicateRules(groups: readonly (readonly [ReadGroup, Findings])[]): void {
  const all = groups.flatMap(([read, findings]) =>
    read.rules.map(({ index, rule }) => ({ read, findings, index, rule })),
  )
  const found = duplicates(all, ({ read, rule }) => {
    const name = rule.alert ?? rule.record
    if (name === undefined) return undefined
    const labels = Object.entries({ ...read.group.labels, ...rule.labels }).toSorted(([a], [b]) => (a < b ? -1 : 1))
    return JSON.stringify([name, labels])
  })
  for (const [{ read, findings, index, rule }, first] of found) {
    const where = first.read === read ? "" : ` of group ${quote(first.read.group.name)}`
    const name = quote(rule.alert ?? rule.record ?? "")
    const message = `${name} has the labels of rules[${first.index}]${where}; where the results of both have the same labels, one is lost: change its name or a label`
    findings.add("lint", "rule/duplicate", ["rules", index], message)
  }
}
