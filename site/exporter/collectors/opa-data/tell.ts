import { explain } from "#core/errors.ts"
import type { Logger } from "#core/log/logger.ts"
import type { Counted } from "./paths.ts"
import type { Outcome } from "./reading.ts"
import { targetKey } from "./target.ts"

/** Logs what is otherwise than in the collection before. `problem` is that of the list of OPAs. */
export type Tell = (problem: string | undefined, outcomes: readonly Outcome[]) => void

export function tellChanges(paths: readonly Counted[], log: Logger): Tell {
  let trouble: string | undefined
  let down: ReadonlyMap<string, string> = new Map()
  let empty: ReadonlySet<string> = new Set()

  const tellList = (problem: string | undefined): void => {
    if (problem === trouble) return
    trouble = problem
    if (problem === undefined) log.info("the list of OPAs is up to date again")
    else log.warn({ reason: problem }, "the list of OPAs is not whole, or may be outdated")
  }

  const tellPods = (outcomes: readonly Outcome[]): void => {
    const failures = new Map<string, string>()
    for (const { target, result } of outcomes) {
      const key = targetKey(target)
      const about = { pod: target.pod, namespace: target.namespace, service: target.service }
      if ("places" in result) {
        if (down.has(key)) log.info(about, "this OPA can be read again")
        continue
      }
      failures.set(key, result.reason)
      if (down.get(key) !== result.reason) log.warn({ ...about, reason: explain(result) }, "can't read this OPA")
    }
    down = failures
  }

  /** A path that is nowhere is more likely written wrong than not loaded. */
  const tellEmpty = (outcomes: readonly Outcome[]): void => {
    const readings = outcomes.flatMap(({ result }) => ("places" in result ? [result] : []))
    if (readings.length === 0) return
    const nowhere = paths.filter((_, index) => readings.every(({ places }) => places[index]?.kind === "undefined"))
    for (const { name } of nowhere) {
      if (!empty.has(name)) log.warn({ path: name }, "no OPA has anything at this path: is it right?")
    }
    empty = new Set(nowhere.map(({ name }) => name))
  }

  return (problem, outcomes) => {
    tellList(problem)
    tellPods(outcomes)
    tellEmpty(outcomes)
  }
}
