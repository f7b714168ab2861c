import { explain } from "#core/errors.ts"
import { cleanText } from "#core/log/clean-text.ts"
import { backoff, jitter } from "#core/retry/backoff.ts"
import { RulerError } from "../ruler/errors.ts"
import type { Unsynced } from "./apply-plan.ts"
import { Attempts } from "./attempts.ts"
import type { Place } from "./desired-state.ts"
import { Grace } from "./grace.ts"
import { reconcile, type ReconcileOptions } from "./reconcile.ts"

export interface LaneOptions extends Omit<ReconcileOptions, "attempts" | "wait"> {
  /** Seconds for which a group stays that no resource wants any more. */
  readonly grace: number
  /** Whether the groups of this resource are deleted without that. */
  readonly isForced: (owner: string) => boolean
  /** Whether resources changed that are not read yet: one of them may want what another dropped. */
  readonly isBehind: () => boolean
  /** Seconds between two full reads; 0: none but the first. */
  readonly resync: number
  /** Runs a cycle when others of the same ruler leave room. */
  readonly inTurn: (cycle: () => Promise<void>) => Promise<void>
  /** After each cycle: resources of which something may be to report. */
  readonly done: (owners: ReadonlySet<string>, cycle: CycleOutcome) => void
}

export interface CycleOutcome {
  readonly seconds: number
  /** Why not all could be read or written; undefined: nothing hindered. */
  readonly fault: string | undefined
  /** Rules that are desired; undefined where the cycle was about some groups. */
  readonly rules: number | undefined
  /** All that is known of now, also of groups that the cycle was not about. */
  readonly unsynced: readonly Unsynced[]
}

/** Milliseconds in which changes become one cycle. */
const DEBOUNCE = 100
/** Addresses that are read one by one; of more, all are read. */
const FEW = 8
/** Milliseconds between cycles where one is not enough, as for deletions beyond the most of a cycle: people may react. */
const MORE = 10_000
/** Seconds. */
const RETRY = { least: 1, most: 60 }
/** Cycles that failed in a row before it is shown: a ruler that restarts is no news for hundreds of resources. */
const SHOWN_AFTER = 2
const DAY = 86_400_000

/** Keeps one tenant in step at one ruler, independently of all others. */
export class Lane {
  readonly #options: LaneOptions
  readonly #attempts = new Attempts()
  readonly #grace: Grace
  #unsynced: ReadonlyMap<string, readonly Unsynced[]> = new Map()
  #keys = new Set<string>()
  #running: ReadonlySet<string> = new Set()
  #isRead = false
  #failures = 0
  #fault: string | undefined
  #dirtyAt = Number.POSITIVE_INFINITY
  #fullAt: number
  #notBefore = 0
  #wake: () => void = () => undefined

  constructor(options: LaneOptions) {
    this.#options = options
    this.#grace = new Grace(options.grace)
    this.#fullAt = options.clock.now()
  }

  get place(): Place {
    return this.#options.place
  }

  /** Why nothing is known or written; undefined: nothing hinders. */
  get fault(): string | undefined {
    return this.#failures >= SHOWN_AFTER ? this.#fault : undefined
  }

  /** Everything was compared since the start. */
  get isRead(): boolean {
    return this.#isRead
  }

  isPending(key: string): boolean {
    return this.#keys.has(key) || this.#running.has(key)
  }

  unsyncedOf(owner: string): readonly Unsynced[] {
    return this.#unsynced
      .values()
      .flatMap((all) => all.filter((one) => one.owner === owner))
      .toArray()
  }

  /** Something changed at these addresses. */
  touch(keys: Iterable<string>): void {
    const claims = this.#options.desired.at(this.place)
    for (const key of keys) {
      this.#keys.add(key)
      if (claims.has(key)) this.#grace.forget(key)
    }
    if (this.#keys.size > 0) this.#dirtyAt = Math.min(this.#dirtyAt, this.#options.clock.now() + DEBOUNCE)
    this.#wake()
  }

  /** Compares everything soon. */
  touchAll(): void {
    this.#fullAt = Math.min(this.#fullAt, this.#options.clock.now() + DEBOUNCE)
    this.#wake()
  }

  /** Whether a deletion was held back. */
  get isHolding(): boolean {
    return this.#lacks("DeletionHeldBack")
  }

  #lacks(reason: Unsynced["reason"]): boolean {
    return this.#unsynced.values().some((all) => all.some((one) => one.reason === reason))
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, inTurn } = this.#options
    const wake = (): void => this.#wake()
    signal.addEventListener("abort", wake)
    while (!signal.aborted) {
      const wait = this.#dueAt() - clock.now()
      if (wait <= 0) await inTurn(() => this.#cycle(signal))
      else await this.#sleep(Math.min(wait, DAY))
    }
    signal.removeEventListener("abort", wake)
  }

  #dueAt(): number {
    const first = Math.min(this.#dirtyAt, this.#fullAt, this.#attempts.nextAt(), this.#grace.nextAt())
    return Math.max(this.#notBefore, first)
  }

  #wait(key: string, owners: readonly string[]): string | undefined {
    const { clock, grace, isBehind, isForced } = this.#options
    if (owners.some(isForced)) return undefined
    if (isBehind()) this.#grace.forget(key)
    if (!this.#grace.isOn(key, clock.now())) return undefined
    return `no resource wants it any more; it is deleted after ${grace}s unless one claims it`
  }

  async #sleep(milliseconds: number): Promise<void> {
    const waking = new AbortController()
    this.#wake = () => waking.abort()
    await this.#options.clock.pause(milliseconds / 1000, waking.signal)
    this.#wake = () => undefined
  }

  async #cycle(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return
    const { clock, resync, done } = this.#options
    const begin = clock.now()
    const keys = this.#keys.union(new Set([...this.#attempts.due(begin), ...this.#grace.due(begin)]))
    const scope = this.#isRead && this.#fullAt > begin && keys.size <= FEW ? keys : undefined
    this.#keys = new Set()
    this.#running = keys
    this.#dirtyAt = Number.POSITIVE_INFINITY
    let before = this.#owners(scope)
    const [fault, isRead] = [this.fault, this.#isRead]
    try {
      const { unsynced, ...applied } = await reconcile(
        { ...this.#options, attempts: this.#attempts, wait: (key, owners) => this.#wait(key, owners) },
        scope,
        signal,
      )
      this.#remember(unsynced, scope)
      before = before.union(applied.owners)
      this.#isRead ||= scope === undefined
      if (scope === undefined)
        this.#fullAt =
          resync === 0 ? Number.POSITIVE_INFINITY : clock.now() + 1000 * (0.9 * resync + jitter(0.2 * resync))
      if (applied.fault === undefined) this.#succeeded()
      else this.#failed(applied.fault, keys)
      if (applied.isRoomMade && this.#lacks("TooManyGroups")) this.touchAll()
      if (applied.isMoreToDo) this.#fullAt = Math.min(this.#fullAt, clock.now() + MORE)
    } catch (error) {
      if (signal.aborted) return
      if (scope === undefined) this.#fullAt = clock.now()
      this.#failed(error, keys)
    } finally {
      this.#running = new Set()
    }
    const everybody = fault !== this.fault || isRead !== this.#isRead
    const owners = before.union(this.#owners(everybody ? undefined : scope, everybody))
    const rules = scope === undefined ? this.#countRules() : undefined
    const unsynced = this.#unsynced
      .values()
      .flatMap((all) => all)
      .toArray()
    done(owners, { seconds: (clock.now() - begin) / 1000, fault: this.#fault, rules, unsynced })
  }

  #succeeded(): void {
    this.#failures = 0
    this.#fault = undefined
    this.#notBefore = 0
  }

  #failed(error: unknown, keys: ReadonlySet<string>): void {
    const { clock } = this.#options
    this.#failures += 1
    this.#fault = cleanText(explain(error))
    const retryAfter = error instanceof RulerError ? (error.retryAfter ?? 0) : 0
    this.#notBefore = clock.now() + 1000 * backoff(this.#failures, { ...RETRY, retryAfter })
    this.#fullAt = Math.min(this.#fullAt, this.#notBefore)
    for (const key of keys) this.#keys.add(key)
  }

  #remember(unsynced: readonly Unsynced[], scope: ReadonlySet<string> | undefined): void {
    const kept = scope === undefined ? [] : this.#unsynced.entries().filter(([key]) => !scope.has(key))
    this.#unsynced = new Map([...kept, ...Map.groupBy(unsynced, ({ key }) => key)])
    if (scope === undefined) this.#attempts.keep((key) => this.#isKnown(key))
    const owned = this.#options.ownership.at(this.place)
    this.#grace.keep((key) => owned.has(key))
  }

  #countRules(): number {
    const claims = this.#options.desired.at(this.#options.place).values()
    return claims.reduce((sum, [{ group }]) => sum + (group?.rules.length ?? 0), 0)
  }

  #isKnown(key: string): boolean {
    const { desired, ownership, place } = this.#options
    return desired.at(place).has(key) || ownership.at(place).has(key)
  }

  /** Resources that have something to do with these addresses, or with what is not in sync; `all`: with any. */
  #owners(scope: ReadonlySet<string> | undefined, all = false): ReadonlySet<string> {
    const { desired, ownership, place } = this.#options
    const owners = new Set(this.#unsynced.values().flatMap((ones) => ones.map(({ owner }) => owner)))
    const [claims, owned] = [desired.at(place), ownership.at(place)]
    for (const key of all ? new Set([...claims.keys(), ...owned.keys()]) : (scope ?? this.#running)) {
      for (const { owner } of claims.get(key) ?? []) owners.add(owner)
      for (const owner of owned.get(key)?.owners ?? []) owners.add(owner)
    }
    return owners
  }
}
