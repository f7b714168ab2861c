import type { Problem } from "./problem.ts"
import { finish, type Steps } from "./steps.ts"
import type { Target } from "./target.ts"
import { validateGroupInSteps } from "./validate-group.ts"

/** What several targets have to say of a group: an error where all refuse it, a warning where only some do. Each once. */
export const validateForAll = (group: unknown, targets: readonly Target[]): { readonly problems: readonly Problem[] } =>
  finish(validateForAllInSteps(group, targets))

/** Pauses after each rule. */
export function* validateForAllInSteps(
  group: unknown,
  targets: readonly Target[],
): Steps<{ readonly problems: readonly Problem[] }> {
  const judged: { readonly target: Target; readonly problems: readonly Problem[] }[] = []
  for (const target of targets) judged.push({ target, problems: (yield* validateGroupInSteps(group, target)).problems })
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
