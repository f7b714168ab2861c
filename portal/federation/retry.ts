import { setTimeout as delay } from "node:timers/promises"
import { explain } from "#core/errors.ts"
import type { Logger } from "#core/log/logger.ts"

const FIRST_MS = 500
const LONGEST_MS = 30_000

/**
 * Repeats `attempt` with growing pauses until it succeeds (true) or `signal` is aborted (false). A reason is logged when it
 * is new, and reported to `failed`.
 */
export async function retry(
  attempt: () => Promise<void>,
  { signal, log, failed }: { signal: AbortSignal; log: Logger; failed?: (reason: string) => void },
): Promise<boolean> {
  let logged = ""
  for (let pause = FIRST_MS; !signal.aborted; pause = Math.min(pause * 2, LONGEST_MS)) {
    try {
      await attempt()
      return true
    } catch (error) {
      if (signal.aborted) return false
      const reason = explain(error)
      failed?.(reason)
      if (reason !== logged) log.warn({ reason }, "will be tried again until it succeeds")
      logged = reason
    }
    await delay(pause * (0.75 + Math.random() / 2), undefined, { signal }).catch(() => undefined) // aborted: the loop ends
  }
  return false
}
