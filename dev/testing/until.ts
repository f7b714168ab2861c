import { setTimeout as delay } from "node:timers/promises"

/**
 * Waits until `probe` gives something other than undefined and false; throws after `seconds` with the last reason. They
 * guard against hanging, and suffice for a machine with much other work: no test is about them.
 */
export async function until<T>(
  what: string,
  probe: () => Promise<T | undefined> | T | undefined,
  seconds = 60,
): Promise<Exclude<T, false>> {
  const end = performance.now() + seconds * 1000
  let reason: unknown
  while (performance.now() < end) {
    try {
      const value = await probe()
      if (value !== undefined && value !== false) return value as Exclude<T, false>
    } catch (error) {
      reason = error
    }
    await delay(25)
  }
  throw new Error(`waited ${seconds} s for ${what}`, { cause: reason })
}
