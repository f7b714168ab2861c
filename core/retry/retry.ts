import { explain } from "#core/errors.ts"
import { logChanges } from "#core/log/changes.ts"
import type { Logger } from "#core/log/logger.ts"
import { backoff, pause } from "./backoff.ts"

export interface RetryOptions {
  readonly signal: AbortSignal
  readonly log: Logger
  /** What is attempted, for the log: `writing the configuration`. */
  readonly task: string
  /** Called after each failure. */
  readonly failed?: (reason: string, error: unknown) => void
}

/** Repeats `attempt` with growing pauses until it succeeds (true) or `signal` is aborted (false). Logs each new reason. */
export async function retry(
  attempt: () => Promise<void>,
  { signal, log, task, failed }: RetryOptions,
): Promise<boolean> {
  const report = logChanges((reason?: string) => log.warn({ reason }, `${task} failed, retrying until it succeeds`))
  for (let failures = 1; !signal.aborted; failures++) {
    try {
      await attempt()
      return true
    } catch (error) {
      if (signal.aborted) return false
      const reason = explain(error)
      failed?.(reason, error)
      report(reason)
    }
    await pause(backoff(failures), signal)
  }
  return false
}
