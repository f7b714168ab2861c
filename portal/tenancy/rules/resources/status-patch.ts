import { isDeepStrictEqual } from "node:util"
import type { Condition, ReportedStatus, RuleStatus } from "./status.ts"

/** What a merge patch changes in a status so that it is `next`, with the conditions that are another now; undefined: nothing. */
export function statusPatch(before: RuleStatus | undefined, { conditions, ...next }: ReportedStatus, now: string) {
  const listed: readonly unknown[] = Array.isArray(before?.conditions) ? before.conditions : []
  const known = new Map(listed.filter(isCondition).map((one) => [one.type, one]))
  const dated = conditions.map((condition): Condition => {
    const last = known.get(condition.type)
    const isSame = last?.status === condition.status && typeof last.lastTransitionTime === "string"
    return { ...condition, lastTransitionTime: isSame ? last.lastTransitionTime : now }
  })
  const stored: Readonly<Record<string, unknown>> = { ...before }
  const wanted: Readonly<Record<string, unknown>> = { ...CLEARED, ...next, conditions: dated }
  const changes = Object.entries(wanted).filter(([name, value]) => !isDeepStrictEqual(value, stored[name]))
  if (changes.length === 0) return undefined
  return {
    patch: Object.fromEntries(changes.map(([name, value]) => [name, value ?? null])),
    changed: dated.filter(({ type, status, reason }) => {
      const last = known.get(type)
      return status !== last?.status || reason !== last.reason
    }),
  }
}

/** Fields that are removed where a report has none; `ruler_updated` is the original's, which was true in any case. */
const CLEARED = {
  observedGeneration: undefined,
  tenants: undefined,
  tenantsNotShown: undefined,
  problems: undefined,
  ruler_updated: undefined,
}

const isCondition = (value: unknown): value is Condition => typeof value === "object" && value !== null
