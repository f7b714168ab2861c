/** Changes of one resource that are followed at once. */
const FREE = 10
/** Milliseconds. */
const LEAST = 60_000
const MOST = 3_600_000

interface Edits {
  readonly count: number
  readonly at: number
  readonly wait: number
  /** A change waits to be followed. */
  readonly isHeld: boolean
}

/**
 * A resource that is changed again and again, as by two controllers that each undo what the other does, is followed at ever
 * longer intervals: each change resets what alerts have pending. `now` in milliseconds.
 */
export class EditThrottle {
  readonly #edits = new Map<string, Edits>()
  readonly #throttled: (key: string, seconds: number) => void

  /** `throttled`: called with the time after which the resource is no longer throttled, unless it is changed again. */
  constructor(throttled: (key: string, seconds: number) => void) {
    this.#throttled = throttled
  }

  /** Milliseconds until a change of the resource may be followed; 0: now, and it counts. */
  take(key: string, now: number): number {
    const { count = 0, at = 0, wait = LEAST } = this.#edits.get(key) ?? {}
    const isQuiet = now > at + 2 * wait
    if (!isQuiet && count >= FREE && now < at + wait) {
      this.#edits.set(key, { count, at, wait, isHeld: true })
      this.#throttled(key, (at + 2 * wait + 1 - now) / 1000)
      return at + wait - now
    }
    const next = isQuiet ? 1 : count + 1
    const longer = Math.min(MOST, LEAST * 2 ** Math.max(0, next - FREE))
    this.#edits.set(key, { count: next, at: now, wait: longer, isHeld: false })
    if (next > FREE) this.#throttled(key, (2 * longer + 1) / 1000)
    return 0
  }

  isThrottled(key: string, now: number): boolean {
    const { count = 0, at = 0, wait = LEAST, isHeld = false } = this.#edits.get(key) ?? {}
    return (count > FREE || isHeld) && now <= at + 2 * wait
  }

  forget(key: string): void {
    this.#edits.delete(key)
  }
}
