import { setTimeout as delay } from "node:timers/promises"

/** Waits until `probe` gives something other than undefined; throws after `seconds` with the last reason. */
export async function until<T>(
  what: string,
  probe: () => Promise<T | undefined> | T | undefined,
  seconds = 30,
): Promise<T> {
  const end = performance.now() + seconds * 1000
  let reason: unknown
  while (performance.now() < end) {
    try {
      const value = await probe()
      if (value !== undefined) return value
    } catch (error) {
      reason = error
    }
    await delay(25)
  }
  throw new Error(`waited ${seconds} s for ${what}`, { cause: reason })
}
