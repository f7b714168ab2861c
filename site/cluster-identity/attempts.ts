import { explain } from "#core/errors.ts"
import { KubernetesError } from "#core/kubernetes/errors.ts"
import { logChanges } from "#core/log/changes.ts"
import type { Logger } from "#core/log/logger.ts"
import { backoff, pause } from "#core/retry/backoff.ts"
import { Deadline } from "#core/retry/deadline.ts"
import { forbiddenError, unavailableError } from "./errors.ts"

export interface AttemptOptions {
  /** Seconds for all attempts together. */
  readonly timeout: number
  readonly signal: AbortSignal
  readonly log: Logger
}

/** What `attempt` gives, which is repeated while the API fails in ways that may go by. Throws ExitError. */
export async function attemptInTime<T>(
  attempt: (signal: AbortSignal) => Promise<T>,
  { timeout, signal, log }: AttemptOptions,
): Promise<T> {
  using deadline = new Deadline(timeout, signal)
  const report = logChanges((reason?: string) => log.warn({ reason }, "reading the cluster failed, retrying"))
  let last: KubernetesError | undefined
  for (let failures = 1; !deadline.signal.aborted; failures++) {
    try {
      return await attempt(deadline.signal)
    } catch (error) {
      if (deadline.signal.aborted) break
      if (!(error instanceof KubernetesError)) throw error
      last = error
      const { statusCode, message, retryAfter } = error
      if (statusCode === 401 || statusCode === 403) throw forbiddenError([message])
      if (!mayGoBy(statusCode)) throw unavailableError(message, error)
      report(explain(error))
      await pause(backoff(failures, { least: 0.25, most: 10, retryAfter }), deadline.signal)
    }
  }
  signal.throwIfAborted()
  throw unavailableError(
    `the Kubernetes API did not respond within ${timeout} s${last === undefined ? "" : `: ${last.message}`}`,
    last,
  )
}

/** No response, too many requests, and failures of the API's own. A list whose version was forgotten begins anew. */
const mayGoBy = (statusCode: number): boolean =>
  statusCode === 0 || statusCode === 408 || statusCode === 410 || statusCode === 429 || statusCode >= 500
