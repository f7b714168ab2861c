import type { Version } from "../message/version.ts"
import type { Split } from "../split/slice.ts"
import { linesOf } from "./lines.ts"
import { retryAfterOf } from "./retry-after.ts"
import type { Part, Verdict } from "./verdict.ts"
import { writtenHeaders, writtenOf } from "./written.ts"

/** To a sender. */
export interface WriteResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** One response of what became of all slices, and of what was set aside. `attempt` is the sender's Retry-Attempt. */
export function combine(
  version: Version,
  split: Split,
  parts: readonly Part[],
  attempt: number,
  retryAfter = retryAfterOf,
): WriteResponse {
  const status = statusOf(split, parts)
  const retried = parts.filter(({ verdict }) => verdict === "retryable" || verdict === "limited")
  return {
    status,
    headers: {
      // of version 1, senders count samples as lost by them
      ...(version === 2 ? writtenHeaders(writtenOf(split, parts)) : {}),
      ...(status === 429 || status >= 500 ? { "retry-after": String(retryAfter(retried, attempt)) } : {}),
    },
    body: status === 204 ? "" : linesOf(split, parts),
  }
}

function statusOf({ rejectedSeries }: Split, parts: readonly Part[]): number {
  const has = (verdict: Verdict): boolean => parts.some((part) => part.verdict === verdict)
  const retryable = parts.filter(({ verdict }) => verdict === "retryable")
  // 502: there is no upstream behind the proxy that could be overloaded or restarting, as far as it can see
  if (retryable.length > 0) return retryable.some(({ outcome }) => outcome.status >= 500) ? 503 : 502
  if (has("limited")) return 429
  if (parts.length > 0 && parts.every(({ verdict }) => verdict === "unsupported")) return 415
  return has("refused") || has("unsupported") || rejectedSeries > 0 ? 400 : 204
}
