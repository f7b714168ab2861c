import { lintGroups } from "../lint/lint-groups.ts"
import { readComments } from "../lint/comments.ts"
import { suppressions } from "../lint/suppressions.ts"
import type { Target } from "../validation/target.ts"
import { type CheckedFile, inOrder } from "./check-file.ts"
import type { Report } from "./report.ts"

/**
 * The same files with what lint finds in all of them together, where there is a target, and without what their comments
 * disable. A rule may read what another file records, so that all are needed at once. `base` are files that they replace.
 */
export function withLints(
  checked: readonly CheckedFile[],
  target: Target | undefined,
  now: Date,
  base: readonly CheckedFile[],
): readonly CheckedFile[] {
  // what has an error is not among the valid groups, and yet not gone
  const isValid = checked.every(({ reports }) => reports.every(({ severity }) => severity !== "error"))
  const replaced = isValid ? groupsOf(base).map(({ group }) => group) : []
  const found = target === undefined ? [] : lintGroups(groupsOf(checked), target, replaced)
  const ofPlace = Map.groupBy(found, ({ origin }) => origin)
  return checked.map((file) => {
    const lints = file.valid.flatMap(({ origin }) =>
      (ofPlace.get(origin) ?? []).map((problem) => origin.report(problem)),
    )
    const all = [...file.reports, ...lints]
    return { ...file, reports: inOrder(withComments(all, file, target !== undefined, now)) }
  })
}

const groupsOf = (files: readonly CheckedFile[]) => files.flatMap(({ valid }) => valid)

function withComments(
  reports: readonly Report[],
  { file, text, begins }: CheckedFile,
  lint: boolean,
  now: Date,
): readonly Report[] {
  if (!lint && !reports.some(({ severity }) => severity === "lint")) return reports
  const comments = readComments(text, now)
  const { rules, groups } = begins()
  const { covers, idle } = suppressions(text, comments, rules, groups)
  const kept = reports.filter(
    ({ severity, check, rule, line }) => severity !== "lint" || !covers(check, rule ?? 0, line ?? 0),
  )
  if (!lint) return kept
  const message = "this comment stands at no rule: write it above one, or file/disable"
  const wrong = [...comments.problems, ...idle.map(({ line, column }) => ({ line, column, message }))]
  return [...kept, ...wrong.map((one) => ({ ...one, file, severity: "lint" as const, check: "comment", where: "" }))]
}
