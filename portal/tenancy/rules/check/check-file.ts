import { type Path, showPath } from "#core/config/config-file.ts"
import { cleanText } from "#core/log/clean-text.ts"
import { quote } from "../../tenants/quote.ts"
import type { GroupToLint } from "../lint/lint-groups.ts"
import type { Problem } from "../validation/problem.ts"
import type { Target } from "../validation/target.ts"
import { validateGroups } from "../validation/validate-group.ts"
import { type FileDocument, readDocuments } from "./documents.ts"
import type { Report } from "./report.ts"
import { findSources, type ResourceName, type RuleSource } from "./sources.ts"

export interface CheckedFile extends CheckedSource {
  /** As it is shown. */
  readonly file: string
  readonly text: string
}

interface CheckedSource {
  readonly groups: number
  readonly rules: number
  /** In the order of their places. */
  readonly reports: readonly Report[]
  /** The valid groups. */
  readonly valid: readonly GroupToLint<GroupPlace>[]
  /** The lines in which they begin, also those that are not valid. */
  readonly begins: () => { readonly rules: readonly number[]; readonly groups: readonly number[] }
}

export interface GroupPlace {
  /** Of a problem of this group. */
  readonly report: (problem: Problem) => Report
  /** That it is of, where it is one. */
  readonly resource: ResourceName | undefined
}

export const NOTHING: Omit<CheckedFile, "reports" | "file"> = {
  groups: 0,
  rules: 0,
  valid: [],
  begins: () => ({ rules: [], groups: [] }),
  text: "",
}

/** What is wrong with a text of rules; `file` is its name in the reports. */
export function checkText(text: string, file: string, target: Target): CheckedFile {
  const documents = readDocuments(text)
  const { sources, problems } = findSources(documents, target)
  const around = problems.map((problem) =>
    report(file, problem.document, problem, problem.path, showPath(problem.path)),
  )
  const checked = sources.map((source) => checkSource(source, file, target))
  const reports = [...around, ...checked.flatMap((each) => each.reports)]
  if (documents.some(({ value }) => value !== null) && sources.length === 0 && reports.length === 0)
    reports.push(ofFile(file, "holds no rules: neither groups nor an OpenMetricsRule or PrometheusRule"))
  // valid for Prometheus, and what a pipe gives whose first command failed
  if (documents.every(({ value }) => value === null) && reports.length === 0)
    reports.push({ ...ofFile(file, "is empty: there is nothing to check"), severity: "warning" })
  return {
    groups: checked.reduce((sum, { groups }) => sum + groups, 0),
    rules: checked.reduce((sum, { rules }) => sum + rules, 0),
    reports: inOrder(reports),
    valid: checked.flatMap(({ valid }) => valid),
    begins: () => {
      const all = checked.map(({ begins }) => begins())
      return { rules: all.flatMap(({ rules }) => rules), groups: all.flatMap((each) => each.groups) }
    },
    file,
    text,
  }
}

export function inOrder(reports: readonly Report[]): readonly Report[] {
  return reports.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0))
}

function checkSource(
  { document, isResource, path, groups: list, tenants, resource }: RuleSource,
  file: string,
  target: Target,
): CheckedSource {
  // who writes a resource to a server leaves them out
  const groups = validateGroups(list, isResource ? { ...target, emptyDurations: "dropped" } : target)
  if (groups === undefined) {
    const problem = { severity: "error", check: "schema", path: [], message: "must be a list of groups" } as const
    return { ...NOTHING, reports: [report(file, document, problem, path, showPath(path))] }
  }
  const places = groups.map(({ name }, index): GroupPlace => {
    const group = name === "" ? showPath([...path, index]) : `group ${quote(name)}`
    return {
      resource,
      report(problem) {
        const where = [group, showPath(problem.path)].filter((part) => part !== "").join(", ")
        const [rules, rule] = problem.path
        const begin = rules === "rules" && rule !== undefined ? [...path, index, rules, rule] : undefined
        return {
          ...report(file, document, problem, [...path, index, ...problem.path], where),
          rule: begin === undefined ? undefined : document.placeOf(begin).line,
        }
      },
    }
  })
  return {
    groups: groups.length,
    rules: countRules(list),
    reports: groups.flatMap(({ problems }, index) =>
      problems.flatMap((problem) => places[index]?.report(problem) ?? []),
    ),
    valid: groups.flatMap(({ group }, index) => {
      const place = places[index]
      if (group === undefined || place === undefined) return []
      // empty entries of the list are no rules of the group
      const rules = rulesOf(list, index).flatMap((rule, at) => (rule === null || rule === undefined ? [] : [at]))
      const origin: GroupPlace = {
        resource,
        report({ path: [field, rule, ...rest], ...problem }) {
          const asGiven = field === "rules" ? [field, rules[Number(rule)] ?? 0, ...rest] : [field ?? ""]
          return place.report({ ...problem, path: asGiven })
        },
      }
      return [{ group, origin, source: list, tenants }]
    }),
    begins: () => ({
      groups: groups.map((_, index) => document.placeOf([...path, index]).line),
      rules: groups.flatMap((_, index) =>
        rulesOf(list, index).map((_rule, rule) => document.placeOf([...path, index, "rules", rule]).line),
      ),
    }),
  }
}

function rulesOf(list: unknown, index: number): readonly unknown[] {
  const groups: readonly unknown[] = Array.isArray(list) ? list : []
  const group = groups[index]
  const rules = typeof group === "object" && group !== null && "rules" in group ? group.rules : undefined
  return Array.isArray(rules) ? rules : []
}

function countRules(list: unknown): number {
  const groups: readonly unknown[] = Array.isArray(list) ? list : []
  return groups.reduce<number>((sum, _, index) => sum + rulesOf(list, index).length, 0)
}

function report(file: string, document: FileDocument, problem: Problem, path: Path, where: string): Report {
  const { severity, check, message, span } = problem
  return {
    file,
    ...document.placeOf(path, span),
    severity,
    check,
    where: cleanText(where, 200),
    message: cleanText(message),
    fragment: span === undefined ? undefined : document.textAt(path)?.slice(span.from, span.to),
  }
}

/** About no part of it. */
export function ofFile(file: string, message: string): Report {
  return {
    file,
    line: undefined,
    column: undefined,
    severity: "error",
    check: "file",
    where: "",
    message: cleanText(message),
  }
}
