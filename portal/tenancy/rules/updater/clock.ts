import { pause } from "#core/retry/backoff.ts"

export interface Clock {
  /** Milliseconds from some moment on. */
  now(): number
  /** Ends early, without an error, when `signal` is aborted. */
  pause(seconds: number, signal: AbortSignal): Promise<void>
}

export const SYSTEM_CLOCK: Clock = { now: () => performance.now(), pause }
