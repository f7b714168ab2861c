import { backoff } from "#core/retry/backoff.ts"
import type { RuleGroup } from "../model/group.ts"
import { fieldsLost } from "../model/same-group.ts"

export interface Attempt {
  readonly key: string
  /** undefined: a deletion. */
  readonly group?: RuleGroup
  /** What stands there now. */
  readonly before?: RuleGroup | undefined
}

/** Why a group is not written now. */
export interface Blocked {
  readonly reason: "Refused" | "NotWritten" | "NotRecorded" | "NotKept" | "ConflictOfWriters"
  readonly message: string
}

interface Failure extends Blocked {
  readonly group: RuleGroup | undefined
  readonly count: number
  /** In milliseconds, as all times here. */
  readonly notBefore: number
  readonly isDue: boolean
}

interface Rewrites {
  readonly group: RuleGroup
  readonly count: number
  readonly wait: number
  readonly at: number
}

/** Seconds: the ruler will hardly take what it refused, unless it is configured anew. */
const REFUSED = { least: 120, most: 3600 }
/** Seconds: a ruler that fails at one group must not be kept busy with it. */
const FAILED = { least: 2, most: 300 }
/** Seconds: each rewriting of a group resets what its alerts have pending. */
const REWRITTEN = { least: 60, most: 3600 }

const CONFLICT =
  "another writer changes this group at the ruler again and again, or the ruler does not keep it as it is: it is written rarely; find out who else writes there"

const notKept = (fields: readonly string[]): string =>
  `the ruler drops ${fields.join(", ")} of this group and keeps the rest: remove that, or use a version of the ruler that keeps it`

/** What is remembered of the writes of a tenant at a ruler: what failed is tried again later, what others rewrite rarely. */
export class Attempts {
  readonly #failures = new Map<string, Failure>()
  /** Each group as it was when the ruler held it last. */
  readonly #synced = new Map<string, RuleGroup>()
  readonly #rewrites = new Map<string, Rewrites>()
  /** What was written, and has not been found as it is desired since. */
  readonly #unseen = new Map<string, RuleGroup>()

  /** Why this is not to be written, or without a group deleted, now; undefined: it is to be. */
  blocked({ key, group, before }: Attempt, now: number): Blocked | undefined {
    const failure = this.#failures.get(key)
    if (failure !== undefined && failure.group === group && failure.notBefore > now) return failure
    if (group !== undefined && before !== undefined && this.#unseen.get(key) === group) {
      const lost = fieldsLost(before, group)
      if (lost !== undefined) return { reason: "NotKept", message: notKept(lost) }
    }
    const rewrites = this.#rewrites.get(key)
    if (group === undefined || rewrites?.group !== group || this.#synced.get(key) !== group) return undefined
    return rewrites.at + rewrites.wait > now ? { reason: "ConflictOfWriters", message: CONFLICT } : undefined
  }

  /** The ruler holds the group as it is desired. */
  seen(key: string, group: RuleGroup, now: number): void {
    this.#failures.delete(key)
    this.#unseen.delete(key)
    this.#synced.set(key, group)
    const rewrites = this.#rewrites.get(key)
    if (rewrites !== undefined && (rewrites.group !== group || now > rewrites.at + 2 * rewrites.wait))
      this.#rewrites.delete(key)
  }

  wrote(key: string, group: RuleGroup, now: number): void {
    if (this.#synced.get(key) === group) {
      const before = this.#rewrites.get(key)
      const count = (before?.group === group ? before.count : 0) + 1
      this.#rewrites.set(key, { group, count, wait: 1000 * backoff(count, REWRITTEN), at: now })
    }
    this.#failures.delete(key)
    this.#unseen.set(key, group)
    this.#synced.set(key, group)
  }

  failed({ key, group }: Attempt, { reason, message }: Blocked, now: number): void {
    const before = this.#failures.get(key)
    const count = (before !== undefined && before.group === group ? before.count : 0) + 1
    const notBefore = now + 1000 * backoff(count, reason === "Refused" ? REFUSED : FAILED)
    this.#failures.set(key, { reason, message, group, count, notBefore, isDue: false })
  }

  /** Forgets what is nobody's matter any more. */
  keep(isKnown: (key: string) => boolean): void {
    for (const key of new Set([...this.#failures.keys(), ...this.#synced.keys()])) if (!isKnown(key)) this.forget(key)
  }

  forget(key: string): void {
    for (const memory of [this.#failures, this.#synced, this.#rewrites, this.#unseen]) memory.delete(key)
  }

  /** Groups that were rewritten more than once lately, although they stand as desired now. */
  contested(key: string): Blocked | undefined {
    const isContested = (this.#rewrites.get(key)?.count ?? 0) > 1
    return isContested ? { reason: "ConflictOfWriters", message: CONFLICT } : undefined
  }

  /** When the first of what failed is to be tried again, in milliseconds. */
  nextAt(): number {
    const waiting = this.#failures.values().filter(({ isDue }) => !isDue)
    return waiting.reduce((least, { notBefore }) => Math.min(least, notBefore), Number.POSITIVE_INFINITY)
  }

  /** What failed and is to be tried again by now; each failure is due once, whatever becomes of it. */
  due(now: number): readonly string[] {
    const found = [...this.#failures].filter(([, { notBefore, isDue }]) => !isDue && notBefore <= now)
    for (const [key, failure] of found) this.#failures.set(key, { ...failure, isDue: true })
    return found.map(([key]) => key)
  }
}
