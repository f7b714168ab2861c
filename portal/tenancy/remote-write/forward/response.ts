import type { IncomingHttpHeaders } from "node:http"
import { retryAfterOf } from "#core/http/retry-after.ts"
import { cleanText } from "#core/log/clean-text.ts"
import { type Counts, KINDS, NO_COUNTS } from "../message/counts.ts"
import type { Version } from "../message/version.ts"
import type { Outcome } from "./outcome.ts"

export interface UpstreamResponse {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** What the body begins with. */
  readonly text: string
}

/** Bytes of an upstream's own words that a sender gets to see. */
const REASON_LIMIT = 512

/** What a response means for what was sent. `now`: milliseconds since 1970. */
export function outcomeOf(version: Version, sent: Counts, response: UpstreamResponse, now: number): Outcome {
  const { status } = response
  const written = version === 2 ? writtenOf(response.headers, sent) : undefined
  const failed = (as: number, reason: string): Outcome => {
    const retryAfter = retryAfterOf(response.headers["retry-after"], now)
    return {
      ...{ kind: "failed", status: as, written: written ?? NO_COUNTS, reason },
      ...(retryAfter === undefined ? {} : { retryAfter }),
    }
  }
  if (status < 200 || status >= 300) return failed(status, reasonOf(response))
  // version 1 has no counts; 202: what another replica has written already
  if (version === 1 || status === 202) return { kind: "accepted", status, written: sent }
  if (written === undefined)
    return failed(
      415,
      `the upstream did not understand remote write 2: its status is ${status}, without counts of what it wrote`,
    )
  if (written.samples + written.histograms === 0 && sent.samples + sent.histograms > 0)
    return failed(400, `the upstream reports success (${status}), and that it wrote nothing`)
  return { kind: "accepted", status, written }
}

/** Undefined where the upstream reports nothing at all. Never more than was sent. */
function writtenOf(headers: IncomingHttpHeaders, sent: Counts): Counts | undefined {
  const of = (kind: keyof Counts): number | undefined => {
    const text = headers[`x-prometheus-remote-write-${kind}-written`]
    return typeof text === "string" && /^\d{1,15}$/.test(text) ? Math.min(Number(text), sent[kind]) : undefined
  }
  const [samples, histograms, exemplars] = KINDS.map(of)
  if (samples === undefined && histograms === undefined && exemplars === undefined) return undefined
  return { samples: samples ?? 0, histograms: histograms ?? 0, exemplars: exemplars ?? 0 }
}

function reasonOf({ status, text }: UpstreamResponse): string {
  const words = cleanText(text, REASON_LIMIT)
  const after = words === "" ? "" : `: ${words}`
  if (status === 401 || status === 403) return `the upstream refuses the proxy's own credentials (${status})${after}`
  if (status >= 300 && status < 400) return `the upstream redirects (${status}), which is not followed`
  return words === "" ? `the upstream's status is ${status}` : words
}
