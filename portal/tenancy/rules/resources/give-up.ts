import { explain } from "#core/errors.ts"
import { logChanges } from "#core/log/changes.ts"
import type { Logger } from "#core/log/logger.ts"
import { pause } from "#core/retry/backoff.ts"
import type { Ledger } from "../updater/ledger.ts"
import { FORCE_DELETE, hasFinalizer, type RuleResource } from "./rule-resource.ts"
import type { ResourceSource } from "./source.ts"
import type { OwnedGroup } from "./status.ts"

export interface GiveUpOptions {
  /** Seconds from the deletion on. */
  readonly deadline: number
  readonly times: DeletionTimes
  /** Called after a resource was let go with groups that may still be at a ruler. */
  readonly gaveUp: (resource: RuleResource, owned: readonly OwnedGroup[], why: string) => void
}

/** Seconds in which the groups of a resource that is to go in any case can still be deleted. */
const FORCED_AFTER = 10
/** Seconds in which those of a resource that is overdue when this begins can still be deleted. */
const LATE = 60

/** Lets deleted resources go whose groups could not be deleted for too long: no namespace hangs for ever. Throws after all were tried. */
export async function giveUpOverdue(
  source: ResourceSource,
  ledger: Ledger,
  { deadline, times, gaveUp }: GiveUpOptions,
  signal: AbortSignal,
): Promise<void> {
  const failures: unknown[] = []
  const { resources, outside = [], incomplete } = source.snapshot()
  const deleted = [...resources, ...outside].filter(([, { metadata }]) => metadata.deletionTimestamp !== undefined)
  times.see(
    deleted.map(([, resource]) => resource),
    incomplete.size === 0,
  )
  for (const [key, resource] of deleted) {
    const why = whyOverdue(resource, deadline, times.of(resource))
    if (why === undefined) continue
    const owned = ledger.owned(key)
    try {
      await ledger.release(key, signal)
      gaveUp(resource, owned, why)
    } catch (error) {
      signal.throwIfAborted()
      failures.push(error)
    }
  }
  if (failures.length > 0) throw failures[0]
}

export interface GivingUp extends Omit<GiveUpOptions, "times"> {
  readonly now: () => Date
  readonly source: ResourceSource
  readonly ledger: Ledger
  readonly log: Logger
  readonly signal: AbortSignal
}

/** Seconds: nobody waits for it to the second. */
const INTERVAL = 5

/** Does so again and again until the signal is aborted. Never rejects. */
export async function keepGivingUp({ source, ledger, now, log, signal, ...options }: GivingUp): Promise<void> {
  const logProblem = logChanges((reason: string | undefined) => {
    if (reason !== undefined) log.warn({ reason }, "letting a deleted resource go failed, retrying until it succeeds")
  })
  const times = timeDeletions(now, () => performance.now())
  while (!signal.aborted) {
    await giveUpOverdue(source, ledger, { ...options, times }, signal).then(
      () => logProblem(undefined),
      (error: unknown) => signal.aborted || logProblem(explain(error)),
    )
    await pause(INTERVAL, signal)
  }
}

export type DeletionTimes = ReturnType<typeof timeDeletions>

/**
 * How long deleted resources wait. Clocks of two machines differ, and jump: what was deleted while this process looked on is
 * timed by `milliseconds`, which only goes forward; the time of the deletion counts for what was deleted before.
 */
export function timeDeletions(now: () => Date, milliseconds: () => number) {
  const seen = new Map<string, { readonly at: number; readonly wasDeleted: boolean }>()
  let isFirst = true
  const idOf = ({ metadata: { uid, namespace, name } }: RuleResource): string => uid ?? `${namespace}/${name}`
  return {
    /** All that are deleted now; `isWhole`: there are no others. */
    see(deleted: readonly RuleResource[], isWhole: boolean): void {
      const ids = new Set(deleted.map(idOf))
      for (const id of ids) if (!seen.has(id)) seen.set(id, { at: milliseconds(), wasDeleted: isFirst })
      for (const id of seen.keys()) if (!ids.has(id)) seen.delete(id)
      isFirst &&= !isWhole
    },
    /** Seconds since it was deleted, and those in which its groups could be deleted here. */
    of(resource: RuleResource): { readonly waited: number; readonly tried: number } {
      const { at = milliseconds(), wasDeleted = false } = seen.get(idOf(resource)) ?? {}
      const tried = (milliseconds() - at) / 1000
      if (!wasDeleted) return { waited: tried, tried }
      const since = (now().getTime() - Date.parse(resource.metadata.deletionTimestamp ?? "")) / 1000
      return { waited: Math.max(since, tried), tried }
    },
  }
}

function whyOverdue(
  resource: RuleResource,
  deadline: number,
  { waited, tried }: ReturnType<DeletionTimes["of"]>,
): string | undefined {
  if (!hasFinalizer(resource)) return undefined
  if (resource.metadata.annotations?.[FORCE_DELETE] === "true" && tried >= FORCED_AFTER)
    return `the annotation ${FORCE_DELETE} is set`
  if (tried < Math.min(deadline, LATE)) return undefined
  return waited >= deadline ? `it was deleted ${Math.floor(waited)} s ago, and --finalizer-deadline is over` : undefined
}

/** Groups that a message names. */
const SHOWN = 10

/** `a/b for red, blue at ruler; 3 more`: each by its namespace at the ruler, its name and its tenants. */
export function showOwned(owned: readonly OwnedGroup[]): string {
  const shown = owned
    .slice(0, SHOWN)
    .map(({ ruler, namespace, group, tenants }) => `${namespace}/${group} of ${tenantsIn(tenants)} at ${ruler}`)
  return [...shown, ...(owned.length > SHOWN ? [`${owned.length - SHOWN} more`] : [])].join("; ")
}

const tenantsIn = (tenants: readonly string[]): string =>
  tenants.length > SHOWN
    ? `${tenants.slice(0, SHOWN).join(", ")} and ${tenants.length - SHOWN} more`
    : tenants.join(", ")
