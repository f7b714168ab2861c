import { explain } from "#core/errors.ts"
import { cleanText } from "#core/log/clean-text.ts"
import { RulerError } from "../ruler/errors.ts"
import type { Ruler } from "../ruler/ruler.ts"
import type { Attempt, Attempts, Blocked } from "./attempts.ts"
import type { Clock } from "./clock.ts"
import type { DesiredState, Place } from "./desired-state.ts"
import { inParallel } from "./in-parallel.ts"
import type { Ownership } from "./ownership.ts"
import type { NotDone, Plan, PlannedDelete, PlannedOwner, PlannedWrite } from "./plan.ts"

/** A group that the ruler does not hold as its resource wants it. */
export interface Unsynced extends PlannedOwner {
  readonly reason: NotDone["reason"] | Blocked["reason"]
  readonly message: string
}

export type Operation = "create" | "update" | "delete"
export type WriteResult = "ok" | "refused" | "failed"

export interface ApplyOptions {
  readonly ruler: Ruler
  readonly place: Place
  readonly desired: DesiredState
  readonly ownership: Ownership
  readonly attempts: Attempts
  readonly clock: Clock
  /** Of a cycle. */
  readonly mostDeletes: number
  readonly keep: (owner: string) => string | undefined
  readonly wait: (key: string, owners: readonly string[]) => string | undefined
  readonly wrote: (operation: Operation, result: WriteResult) => void
}

export interface Applied {
  readonly unsynced: readonly Unsynced[]
  /** Of the ruler: all is to be done again; undefined: none. */
  readonly fault: unknown
  /** Deletions wait for the next cycle although nothing failed. */
  readonly isMoreToDo: boolean
  /** Groups were deleted, so that others find room. */
  readonly isRoomMade: boolean
  /** Resources of which something was written. */
  readonly owners: ReadonlySet<string>
}

/** Groups of one tenant that are written at once: each write makes the ruler read all groups of the tenant. */
const AT_ONCE = 4
/** Groups at which the ruler fails in a cycle, after which it is left alone. */
const MOST_FAILURES = 3

/** Records intents, creates and updates, deletes, records what is gone. Throws where `signal` is aborted. */
export async function applyPlan(options: ApplyOptions, plan: Plan, signal: AbortSignal): Promise<Applied> {
  const { ruler, place, desired, ownership, attempts, clock, keep, wait } = options
  const unsynced: Unsynced[] = [...plan.notDone]
  /** Resources that lack a group: what they no longer want may be the same under its former name. */
  const lacking = new Set<string>()
  const undone = new Set<string>()
  const touched = new Set([...plan.gone, ...plan.creates, ...plan.updates, ...plan.adoptions].map(({ owner }) => owner))
  let fault: unknown
  let failures = 0

  const claims = desired.at(place)
  const planned = new Map([...plan.creates, ...plan.updates, ...plan.deletes].map(({ key }) => [key, claims.get(key)]))
  /** What was changed since is the matter of the next plan. */
  const isCurrent = ({ key }: Attempt): boolean => desired.at(place).get(key) === planned.get(key)
  const miss = ({ key, address }: Pick<PlannedOwner, "key" | "address">, owner: string, why: Blocked): void => {
    unsynced.push({ key, address, owner, reason: why.reason, message: why.message })
  }
  const attempt = async (operation: Operation, what: Attempt, send: () => Promise<void>) => {
    try {
      await send()
      options.wrote(operation, "ok")
      return undefined
    } catch (error) {
      signal.throwIfAborted()
      const isRefusal = error instanceof RulerError && error.isOfGroup
      options.wrote(operation, isRefusal ? "refused" : "failed")
      if (!isRefusal) {
        fault ??= error
        // whatever else it refuses, it will refuse all
        failures += error instanceof RulerError && error.kind !== "unreachable" ? MOST_FAILURES : 1
      }
      const why = { reason: isRefusal ? "Refused" : "NotWritten", message: cleanText(explain(error)) } as const
      attempts.failed(what, why, clock.now())
      return why
    }
  }

  for (const { key, address, owner, group } of [...plan.unchanged, ...plan.adoptions]) {
    if (group === undefined) continue
    attempts.seen(key, group, clock.now())
    const contested = attempts.contested(key)
    if (contested !== undefined) miss({ key, address }, owner, contested)
  }

  const writes: PlannedWrite[] = []
  for (const write of [...plan.creates, ...plan.updates]) {
    const why = attempts.blocked(write, clock.now())
    if (why === undefined) {
      writes.push(write)
      continue
    }
    miss(write, write.owner, why)
    undone.add(write.key)
    if (write.before === undefined && why.reason !== "ConflictOfWriters") lacking.add(write.owner)
  }
  const intents = await ownership.claim(place, [...writes, ...plan.adoptions])
  signal.throwIfAborted()
  for (const write of [...writes, ...plan.adoptions]) {
    const error = intents.get(write.owner)
    if (error === undefined) continue
    const why = { reason: "NotRecorded", message: cleanText(explain(error)) } as const
    attempts.failed(write, why, clock.now())
    miss(write, write.owner, why)
    undone.add(write.key)
    lacking.add(write.owner)
  }

  await inParallel(writes, AT_ONCE, async (write) => {
    const { key, address, owner, group, before } = write
    if (undone.has(key) || !isCurrent(write) || failures >= MOST_FAILURES) return
    const operation = before === undefined ? "create" : "update"
    const failure = await attempt(operation, write, () => ruler.set(place.tenant, address.namespace, group, signal))
    if (failure === undefined) {
      attempts.wrote(key, group, clock.now())
      const contested = attempts.contested(key)
      if (contested !== undefined) miss(write, owner, contested)
      return
    }
    miss(write, owner, failure)
    if (before !== undefined) return
    lacking.add(owner)
    // nothing is there; after any other failure it is not known
    if (failure.reason === "Refused") ownership.drop(place, [write])
  })
  ownership.drop(
    place,
    plan.gone.filter(({ key }) => !undone.has(key)),
  )

  const deletes: PlannedDelete[] = []
  for (const one of plan.deletes) {
    const isHeld = one.owners.some((owner) => lacking.has(owner))
    const why = isHeld ? HELD : attempts.blocked({ key: one.key }, clock.now())
    if (why === undefined) deletes.push(one)
    else for (const owner of one.owners) unsynced.push({ key: one.key, address: one.address, owner, ...why })
  }
  let deleted = 0
  await inParallel(fault === undefined ? deletes.slice(0, options.mostDeletes) : [], AT_ONCE, async (one) => {
    const { key, address, owners } = one
    if (!isCurrent({ key }) || owners.some((owner) => keep(owner) !== undefined) || failures >= MOST_FAILURES) return
    if (wait(key, owners) !== undefined) return // it was wanted for a moment
    const failure = await attempt("delete", { key }, () => ruler.delete(place.tenant, address, signal))
    for (const owner of owners) touched.add(owner)
    if (failure !== undefined) return owners.forEach((owner) => miss(one, owner, failure))
    deleted += 1
    attempts.forget(key)
    ownership.drop(
      place,
      owners.map((owner) => ({ key, address, owner })),
    )
  })

  await ownership.settle(touched)
  signal.throwIfAborted()
  return { unsynced, fault, isMoreToDo: deletes.length > options.mostDeletes, isRoomMade: deleted > 0, owners: touched }
}

const HELD = {
  reason: "DeletionHeldBack",
  message: "it is deleted when the resource's other groups are written",
} as const
