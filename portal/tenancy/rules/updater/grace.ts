/**
 * When groups that no resource wants any more may be deleted: a group that moves to another resource is dropped by the one
 * before the other claims it, and a group that is deleted and created again loses what its alerts have pending. Kept in
 * memory alone: after a restart the time begins anew. `now` in milliseconds.
 */
export class Grace {
  readonly #milliseconds: number
  readonly #waiting = new Map<string, { readonly until: number; readonly isDue: boolean }>()

  constructor(seconds: number) {
    this.#milliseconds = 1000 * seconds
  }

  /** Whether it is too early to delete this group, which is unwanted; the time begins with the first call. */
  isOn(key: string, now: number): boolean {
    const waiting = this.#waiting.get(key) ?? { until: now + this.#milliseconds, isDue: false }
    if (this.#milliseconds > 0) this.#waiting.set(key, waiting)
    return now < waiting.until
  }

  /** It is wanted, or was for a moment. */
  forget(key: string): void {
    this.#waiting.delete(key)
  }

  /** Forgets what is nobody's matter any more. */
  keep(isKnown: (key: string) => boolean): void {
    for (const key of this.#waiting.keys()) if (!isKnown(key)) this.forget(key)
  }

  /** When the first of them may be deleted, in milliseconds. */
  nextAt(): number {
    const waiting = this.#waiting.values().filter(({ isDue }) => !isDue)
    return waiting.reduce((least, { until }) => Math.min(least, until), Number.POSITIVE_INFINITY)
  }

  /** Those that may be deleted by now; each is due once, whatever becomes of it. */
  due(now: number): readonly string[] {
    const found = [...this.#waiting].filter(([, { until, isDue }]) => !isDue && until <= now)
    for (const [key, waiting] of found) this.#waiting.set(key, { ...waiting, isDue: true })
    return found.map(([key]) => key)
  }
}
