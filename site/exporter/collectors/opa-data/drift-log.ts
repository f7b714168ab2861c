import type { Logger } from "#core/log/logger.ts"
import type { Compared } from "./drift.ts"
import { NOT_COMPARED } from "./not-compared.ts"

/** Names of pods in one line of the log. */
const NAMED = 10

/** Returns a function that logs where replicas began to differ, to agree again, or could not be compared. */
export function logDrift(log: Logger): (compared: readonly Compared[], isKnown: (service: string) => boolean) => void {
  /** By service and path. None while they agree. */
  const states = new Map<string, string>()
  return (compared, isKnown) => {
    for (const row of compared) {
      const key = JSON.stringify([`${row.namespace}/${row.service}`, row.path])
      const [state, before] = [stateOf(row), states.get(key)]
      if (state === before) continue
      if (state === undefined) states.delete(key)
      else states.set(key, state)
      logState(log, row, before)
    }
    for (const key of states.keys()) if (!isKnown((JSON.parse(key) as [string])[0])) states.delete(key)
  }
}

function stateOf({ inSync, notCompared }: Compared): string | undefined {
  if (inSync === undefined) return [...notCompared.keys()].toSorted().join()
  return inSync ? undefined : DIFFER
}

const DIFFER = "differ"

function logState(log: Logger, row: Compared, before: string | undefined): void {
  const { namespace, service, path, comparison, inSync, notCompared } = row
  const about = { namespace, service, path }
  if (inSync === false) log.warn({ ...about, deviating: listed(comparison.deviating) }, "replicas differ")
  else if (inSync === true)
    log.info(about, before === DIFFER ? "replicas agree again" : "replicas can be compared again, and agree")
  else {
    const reasons = [...notCompared].map(
      ([reason, pods]) => `${pods} of ${comparison.replicas} pods: ${NOT_COMPARED[reason]}`,
    )
    log.warn(
      { ...about, reason: reasons.join("; ") },
      "whether replicas agree is not known, only their counts are compared",
    )
  }
}

/** The first names, and how many there are beside them. */
export function listed(pods: Iterable<string>): string {
  const names = [...pods].toSorted()
  const rest = names.length - NAMED
  return rest > 0 ? `${names.slice(0, NAMED).join(" ")} and ${rest} others` : names.join(" ")
}
