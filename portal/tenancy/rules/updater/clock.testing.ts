import { setImmediate as turn } from "node:timers/promises"
import type { Clock } from "./clock.ts"

/** Time that passes when the test lets it, and then at once. */
export class TestClock implements Clock {
  #now = 0
  readonly #timers = new Set<{ readonly at: number; readonly ring: () => void }>()

  now(): number {
    return this.#now
  }

  pause(seconds: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve()
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = { at: this.#now + seconds * 1000, ring: resolve }
    this.#timers.add(timer)
    const stop = (): void => {
      this.#timers.delete(timer)
      resolve()
    }
    signal.addEventListener("abort", stop, { once: true })
    return promise.then(() => signal.removeEventListener("abort", stop))
  }

  /** Time passes in which nothing else is done, as by work on the event loop. */
  spend(milliseconds: number): void {
    this.#now += milliseconds
  }

  async advance(milliseconds: number): Promise<void> {
    const end = this.#now + milliseconds
    let rounds = 0
    for (;;) {
      await settle()
      const next = [...this.#timers].reduce((least, { at }) => Math.min(least, at), Number.POSITIVE_INFINITY)
      rounds += 1
      if (rounds > 20_000) throw new Error(`stuck at ${this.#now}`)
      if (next > end) break
      this.#now = Math.max(this.#now, next)
      for (const timer of [...this.#timers].filter(({ at }) => at <= this.#now)) {
        this.#timers.delete(timer)
        timer.ring()
      }
    }
    this.#now = Math.max(this.#now, end)
  }
}

/** What was begun goes on until it waits for time. */
async function settle(): Promise<void> {
  await turn()
  await turn()
}
