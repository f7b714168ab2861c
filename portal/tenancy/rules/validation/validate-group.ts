import { duplicates } from "#core/config/faults.ts"
import { quote } from "../../tenants/quote.ts"
import type { RuleGroup } from "../model/group.ts"
import { reportDuplicateRules } from "./duplicates.ts"
import { Findings } from "./findings.ts"
import type { Problem } from "./problem.ts"
import { readGroup, type ReadGroup } from "./read-group.ts"
import { finish, type Steps } from "./steps.ts"
import type { Target } from "./target.ts"

export interface ValidatedGroup {
  /** As far as it can be told, for messages; else "". */
  readonly name: string
  /** As it would be written to the target; undefined where there is an error, or nothing at all. */
  readonly group: RuleGroup | undefined
  readonly problems: readonly Problem[]
}

/** Never throws, whatever it is given. */
export const validateGroup = (value: unknown, target: Target): ValidatedGroup =>
  finish(validateGroupInSteps(value, target))

/** Pauses after each rule. */
export function* validateGroupInSteps(value: unknown, target: Target): Steps<ValidatedGroup> {
  const findings = new Findings()
  const read = yield* readGroup(value, target, findings)
  if (read !== undefined) reportDuplicateRules([[read, findings]])
  return resultOf(read, findings)
}

/**
 * The groups of a file or a resource, one for each entry of the list. A name that an earlier one has is an error, a rule that
 * an earlier group has a finding. undefined: it is no list.
 */
export function validateGroups(list: unknown, target: Target): readonly ValidatedGroup[] | undefined {
  if (list === undefined || list === null) return []
  if (!Array.isArray(list)) return undefined
  const items: readonly unknown[] = list
  const all = items.map((value, index) => {
    const findings = new Findings()
    // as in lists of rules
    const isEmpty = value === null || value === undefined
    if (isEmpty) findings.warn("schema", [], "is empty and ignored; remove the dash")
    return { index, findings, read: isEmpty ? undefined : finish(readGroup(value, target, findings)) }
  })
  for (const [{ findings, read }, first] of duplicates(all, (one) => one.read?.group.name || undefined))
    findings.error(
      "group/duplicate",
      ["name"],
      `${quote(read?.group.name ?? "")} is the name of groups[${first.index}] already; rename one of them`,
    )
  reportDuplicateRules(all.flatMap(({ read, findings }) => (read === undefined ? [] : [[read, findings] as const])))
  return all.map(({ read, findings }) => resultOf(read, findings))
}

function resultOf(read: ReadGroup | undefined, findings: Findings): ValidatedGroup {
  return {
    name: read?.group.name ?? "",
    group: findings.anyErrors ? undefined : read?.group,
    problems: findings.problems,
  }
}
