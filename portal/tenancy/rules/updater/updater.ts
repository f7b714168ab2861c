import type { Closable } from "#core/closable.ts"
import { explain } from "#core/errors.ts"
import { limitConcurrency } from "#core/limits/concurrency.ts"
import { createTurns } from "#core/limits/turns.ts"
import { logChanges } from "#core/log/changes.ts"
import type { Logger } from "#core/log/logger.ts"
import { FORCE_DELETE, type RuleResource } from "../resources/rule-resource.ts"
import type { ResourceSource } from "../resources/source.ts"
import { isStatusLost, type OwnedGroup } from "../resources/status.ts"
import type { Ruler } from "../ruler/ruler.ts"
import type { Operation, WriteResult } from "./apply-plan.ts"
import { type ClaimsOptions, type ResourceClaims, type RulerTarget, unclearClaims } from "./claims.ts"
import { type Clock, SYSTEM_CLOCK } from "./clock.ts"
import { DesiredState, type Place, placeKey } from "./desired-state.ts"
import { EditThrottle } from "./edits.ts"
import { type CycleOutcome, Lane } from "./lane.ts"
import type { Ledger } from "./ledger.ts"
import { Ownership } from "./ownership.ts"
import type { Plan, PlanOptions } from "./plan.ts"
import { Reports } from "./reports.ts"
import { type PlaceState, statusOf } from "./status-of.ts"
import { inTurns, type Steps } from "../validation/steps.ts"
import { whyKept } from "./why-kept.ts"

export interface UpdaterOptions {
  readonly source: ResourceSource
  readonly ledger: Ledger
  readonly rulers: readonly (Omit<RulerTarget, "name"> & { readonly ruler: Ruler })[]
  readonly claims: Omit<ClaimsOptions, "rulers">
  readonly plan: Omit<PlanOptions, "keep" | "wait">
  /** Seconds between two full reads of a tenant; 0: none but the first. */
  readonly resync: number
  readonly mostDeletes: number
  /** Seconds for which a group stays that no resource wants any more, so that another one can claim it. */
  readonly grace: number
  /** Whether groups are deleted at all; where they are not, a deleted resource leaves its groups behind. */
  readonly removes: boolean
  /** Whether this ruler, which is not configured, is gone for good: what was written there is nobody's. */
  readonly isForgotten: (ruler: string) => boolean
  /** Called with what a resource had at such rulers. */
  readonly forgot: (resource: RuleResource, left: readonly OwnedGroup[]) => void
  /** Writes nothing, to rulers and to resources. */
  readonly dryRun: boolean
  readonly observer: UpdaterObserver
  readonly log: Logger
  readonly clock?: Clock
}

/** What metrics and dry runs show. */
export interface UpdaterObserver {
  /** Each plan, before it is carried out. */
  planned(plan: Plan): void
  wrote(place: Place, operation: Operation, result: WriteResult): void
  cycle(place: Place, outcome: CycleOutcome): void
  /** Nobody has groups there any more, or the updater ended. */
  gone(place: Place): void
}

export interface Updater extends Closable {
  /** Whether every tenant was compared since the start, and at which places that fails now. */
  state(): { readonly isComplete: boolean; readonly failing: readonly (Place & { readonly fault: string })[] }
}

/** Tenants of one ruler that are reconciled at once, and milliseconds after which one that takes longer makes room. */
const AT_ONCE = 8
const SOON = 2000
/** Seconds in which all namespaces may be read first, so that of two claims the older is known. */
const START = 5

/** Keeps rulers in step with resources until closed. One is made for each term of a lease: it trusts what it remembers. */
export function startUpdater(options: UpdaterOptions): Updater {
  const { source, rulers, dryRun, observer, log, clock = SYSTEM_CLOCK } = options
  const ending = new AbortController()
  const { signal } = ending
  const byName = new Map(
    rulers.map(({ ruler }) => {
      const limit = limitConcurrency(AT_ONCE)
      return [ruler.name, { ruler, inTurn: (cycle: () => Promise<void>) => limit(cycle, SOON) }]
    }),
  )
  const targets = rulers.map(({ ruler, target, serves }) => ({ name: ruler.name, target, serves }))
  const desired = new DesiredState({ ...options.claims, rulers: targets })
  const ownership = new Ownership(options.ledger, clock, signal, {
    stored: (owner) => reports.touch(owner),
    found: (place, key) => touch(place, [key]),
    isForgotten: (ruler) => !byName.has(ruler) && options.isForgotten(ruler),
    forgot(owner, left) {
      const resource = source.snapshot().resources.get(owner)
      if (resource !== undefined) options.forgot(resource, left)
    },
  })
  const edits = new EditThrottle((key, seconds) => void clock.pause(seconds, signal).then(() => reports.touch(key)))
  const lanes = new Map<string, Lane>()
  const runs = new Set<Promise<void>>()
  const { removes } = options
  const { template } = options.claims
  let isStarted = false

  const reports = new Reports({
    ...{ ledger: options.ledger, clock, signal },
    statusOf: (owner) => {
      const all = desired.resources().get(owner)
      return all && statusOf(all, placeStates(owner), edits.isThrottled(owner, clock.now()))
    },
    isReleasable: (owner) => isDeleted(owner) && ownership.isFree(owner),
    failed: (resource, error) => log.warn({ resource, reason: explain(error) }, "writing a status failed, retrying"),
  })

  const laneAt = (place: Place): Lane | undefined => {
    const known = lanes.get(placeKey(place))
    const at = byName.get(place.ruler)
    if (known !== undefined || at === undefined || !isStarted || signal.aborted) return known
    const { clock: _, ...rest } = options
    const stopping = new AbortController()
    const logFault = logChanges((fault: string | undefined) => {
      if (fault === undefined) log.info({ ...place }, "the ruler holds what can be read and written again")
      else log.warn({ ...place, reason: fault }, "reconciling a tenant failed, retrying")
    })
    const lane = new Lane({
      ...{ ...rest, ...at, place, desired, ownership, clock },
      keep: (owner) => whyKept(place, owner, { removes, snapshot: source.snapshot(), template, desired, ownership }),
      isForced: (owner) => desired.resources().get(owner)?.resource.metadata.annotations?.[FORCE_DELETE] === "true",
      isBehind: () => queue.size > 0 || isApplying,
      planned: (plan) => observer.planned(plan),
      wrote: (operation, result) => observer.wrote(place, operation, result),
      done: (owners, outcome) => {
        logFault(outcome.fault)
        observer.cycle(place, outcome)
        for (const owner of owners) if (!dryRun) reports.touch(owner)
        if (desired.at(place).size === 0 && ownership.at(place).size === 0) stop()
      },
    })
    const stop = (): void => {
      stopping.abort()
      lanes.delete(placeKey(place))
      observer.gone(place)
    }
    signal.addEventListener("abort", () => stopping.abort(), { signal: stopping.signal })
    lanes.set(placeKey(place), lane)
    const run = lane.run(stopping.signal).finally(() => runs.delete(run))
    runs.add(run)
    return lane
  }
  const isDeleted = (owner: string): boolean =>
    desired.resources().get(owner)?.resource.metadata.deletionTimestamp !== undefined
  const placeStates = (owner: string): readonly PlaceState[] => {
    const all = desired.resources().get(owner)
    const places = new Map<string, { readonly place: Place; readonly keys: Set<string> }>()
    const add = (place: Place, key: string): void => {
      const known = places.get(placeKey(place)) ?? { place, keys: new Set() }
      places.set(placeKey(place), known)
      known.keys.add(key)
    }
    for (const [ruler, claims] of all?.claims ?? [])
      for (const tenant of all?.tenantsAt.get(ruler) ?? []) for (const { key } of claims) add({ ruler, tenant }, key)
    for (const [place, key] of ownership.of(owner)) add(place, key)
    return [...places.values()].map(({ place, keys }) => {
      if (!byName.has(place.ruler)) return { place, state: undefined }
      const lane = lanes.get(placeKey(place))
      if (lane === undefined) return { place, state: { fault: undefined, isPending: true, unsynced: [] } }
      const isPending = !lane.isRead || keys.values().some((key) => lane.isPending(key))
      return { place, state: { fault: lane.fault, isPending, unsynced: lane.unsyncedOf(owner) } }
    })
  }

  const touch = (place: Place, keys: Iterable<string>): void => laneAt(place)?.touch(keys)
  const waiting = new Set<string>()
  const later = async (key: string, milliseconds: number): Promise<void> => {
    if (waiting.has(key)) return
    waiting.add(key)
    reports.touch(key)
    await clock.pause(milliseconds / 1000, signal)
    waiting.delete(key)
    enqueue(key)
  }
  /** What the resource wants as it is when that was read; undefined: it is gone. */
  const readNow = function* (key: string): Steps<ResourceClaims | undefined> {
    let claims: ResourceClaims | undefined
    for (;;) {
      const resource = source.snapshot().resources.get(key)
      if (resource === undefined) return undefined
      try {
        claims = yield* desired.read(resource, claims)
      } catch (error) {
        // no resource may end the process, which all others need
        claims = unclearClaims(resource, explain(error))
        log.error({ resource: key, reason: explain(error) }, "reading a resource failed, its groups stay as they are")
      }
      if (source.snapshot().resources.get(key) === resource) return claims
    }
  }
  const apply = function* (key: string): Steps<void> {
    const resource = source.snapshot().resources.get(key)
    if (resource === undefined) {
      ownership.lose(key, isDeleted(key))
      edits.forget(key)
      for (const { place, keys } of desired.remove(key).values()) touch(place, keys)
      for (const [place, address] of ownership.of(key)) touch(place, [address])
      return
    }
    if (desired.isKnown(resource)) {
      const before = desired.resources().get(key)?.resource.status
      desired.set(resource)
      if (!isStatusLost(before, resource.status)) return
      const pause = edits.take(key, clock.now()) / 1000
      log.warn({ resource: key, seconds: pause }, "another client removed the status of a resource, writing it again")
      void clock.pause(pause, signal).then(() => {
        ownership.restore(key)
        reports.touch(key)
      })
      return
    }
    const isEdit = desired.resources().has(key) && resource.metadata.deletionTimestamp === undefined
    const wait = isEdit ? edits.take(key, clock.now()) : 0
    if (wait > 0) {
      void later(key, wait)
      return
    }
    const claims = yield* readNow(key)
    if (claims === undefined) {
      enqueue(key)
      return
    }
    ownership.see(key, claims.resource.metadata.uid)
    for (const { place, keys } of desired.put(claims).values()) touch(place, keys)
    const staysBehind = !removes || desired.resources().get(key)?.mode === "hands-off"
    if (staysBehind && isDeleted(key)) ownership.abandon(key)
    for (const [place, address] of ownership.of(key))
      if (
        desired
          .at(place)
          .get(address)
          ?.some(({ owner }) => owner === key) !== true
      )
        touch(place, [address])
    reports.touch(key)
  }

  const queue = new Set<string>()
  const turns = createTurns({ spend: () => undefined }, () => clock.now())
  let draining: Promise<void> | undefined
  let isApplying = false
  const drain = async (): Promise<void> => {
    for (const key of queue) {
      if (signal.aborted) return
      queue.delete(key)
      isApplying = true
      await inTurns(apply(key), turns, signal)
      isApplying = false
      await turns.rest()
    }
    draining = undefined
  }
  const enqueue = (key: string): void => {
    queue.add(key)
    draining ??= drain()
  }
  const enqueueChanged = (): void => {
    const { resources } = source.snapshot()
    for (const [key, resource] of resources) if (desired.resources().get(key)?.resource !== resource) enqueue(key)
    for (const key of desired.resources().keys()) if (!resources.has(key)) enqueue(key)
  }
  let listened = (): void => undefined
  const stopListening = source.onChange(() => {
    enqueueChanged()
    listened()
    for (const lane of lanes.values()) if (lane.isHolding) lane.touchAll()
  })

  const start = async (): Promise<void> => {
    const begin = clock.now()
    for (;;) {
      const { incomplete } = source.snapshot()
      if (signal.aborted) return
      if (incomplete.size === 0 || (!incomplete.has("") && clock.now() >= begin + START * 1000)) break
      const waking = new AbortController()
      listened = () => waking.abort()
      signal.addEventListener("abort", listened, { signal: waking.signal })
      await clock.pause(START, waking.signal)
    }
    enqueueChanged()
    await draining
    isStarted = true
    for (const place of [...desired.places(), ...ownership.places()]) laneAt(place)
    if (!dryRun) await reports.run()
  }
  const running = start()

  return {
    state() {
      const all = [...lanes.values()]
      return {
        isComplete: isStarted && all.every(({ isRead }) => isRead),
        failing: all.flatMap(({ place, fault }) => (fault === undefined ? [] : [{ ...place, fault }])),
      }
    },
    async close() {
      stopListening()
      ending.abort()
      await Promise.all([running, draining, ...runs])
      for (const { place } of lanes.values()) observer.gone(place)
    },
  }
}
