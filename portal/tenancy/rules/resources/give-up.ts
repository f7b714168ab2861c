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
  /** Since when groups are deleted here: those of a resource that was deleted before have their time, too. */
  readonly begin: Date
  readonly now: () => Date
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
  { deadline, begin, now, gaveUp }: GiveUpOptions,
  signal: AbortSignal,
): Promise<void> {
  const failures: unknown[] = []
  const { resources, outside = [] } = source.snapshot()
  for (const [key, resource] of [...resources, ...outside]) {
    const why = whyOverdue(resource, { deadline, begin, now: now() })
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

export interface GivingUp extends Omit<GiveUpOptions, "begin"> {
  readonly source: ResourceSource
  readonly ledger: Ledger
  readonly log: Logger
  readonly signal: AbortSignal
}

/** Seconds: nobody waits for it to the second. */
const INTERVAL = 5

/** Does so again and again until the signal is aborted. Never rejects. */
export async function keepGivingUp({ source, ledger, log, signal, ...options }: GivingUp): Promise<void> {
  const logProblem = logChanges((reason: string | undefined) => {
    if (reason !== undefined) log.warn({ reason }, "letting a deleted resource go failed, retrying until it succeeds")
  })
  const begin = options.now()
  while (!signal.aborted) {
    await giveUpOverdue(source, ledger, { ...options, begin }, signal).then(
      () => logProblem(undefined),
      (error: unknown) => signal.aborted || logProblem(explain(error)),
    )
    await pause(INTERVAL, signal)
  }
}

interface Times {
  readonly deadline: number
  readonly begin: Date
  readonly now: Date
}

function whyOverdue(resource: RuleResource, { deadline, begin, now }: Times): string | undefined {
  const { deletionTimestamp, annotations } = resource.metadata
  if (deletionTimestamp === undefined || !hasFinalizer(resource)) return undefined
  const waited = (now.getTime() - Date.parse(deletionTimestamp)) / 1000
  const tried = (now.getTime() - begin.getTime()) / 1000
  if (annotations?.[FORCE_DELETE] === "true" && Math.min(waited, tried) >= FORCED_AFTER)
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
