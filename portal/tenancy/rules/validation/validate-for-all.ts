import type { Problem } from "./problem.ts"
import type { Target } from "./target.ts"
import { validateGroup } from "./validate-group.ts"

/** What several targets have to say of a group: an error where all refuse it, a warning where only some do. Each once. */
export function validateForAll(group: unknown, targets: readonly Target[]): { readonly problems: readonly Problem[] } {
  const judged = targets.map((target) => ({ target, problems: validateGroup(group, target).problems }))
  const isRefused = judged.every(({ problems }) => problems.some(isError))
  const all = judged.flatMap(({ target, problems }) =>
    problems.map((problem): Problem => {
      if (isRefused || !isError(problem)) return problem
      return {
        ...problem,
        severity: "warning",
        message: `${problem.message} (refused by ${target.dialect.name})`,
      }
    }),
  )
  const once = new Map(all.map((problem) => [JSON.stringify([problem.path, problem.span, problem.message]), problem]))
  return { problems: [...once.values()] }
}

const isError = ({ severity }: Problem): boolean => severity === "error"
