import { setTimeout as delay } from "node:timers/promises"

export interface BackoffOptions {
  /** Seconds after the first failure. */
  readonly least?: number
  /** Seconds after many, unless the server asks for more. */
  readonly most?: number
  /** Seconds that the server asks to wait, as by Retry-After. */
  readonly retryAfter?: number
}

/** Seconds to wait after so many failures in a row: doubled by each, and with jitter. */
export function backoff(failures: number, { least = 0.5, most = 30, retryAfter = 0 }: BackoffOptions = {}): number {
  return Math.max(retryAfter, jitter(Math.min(most, least * 2 ** (failures - 1))))
}

/** By chance half to all of it, so that many clients do not come back together. */
export function jitter(seconds: number): number {
  return seconds * (0.5 + Math.random() / 2)
}

/** Ends early, without an error, when `signal` is aborted: the loop around it looks at the signal. */
export async function pause(seconds: number, signal: AbortSignal): Promise<void> {
  await delay(seconds * 1000, undefined, { signal }).catch(() => undefined)
}
