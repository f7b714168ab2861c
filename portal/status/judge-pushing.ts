import { count, moment, span, spanInWords } from "../diagnosis/words.ts"
import type { Verdict } from "./judge.ts"

/** What Prometheus has of the tenancy proxy's metrics about a site. */
export interface Writes {
  /** In seconds of Unix time, by the proxy's clock; 0: none since the proxy began. */
  readonly last: number
  /** Series that were set aside within ten minutes. */
  readonly setAside: number
}

/** All that the state of a site that pushes depends on. Times in seconds of Unix time, by Prometheus' clock. */
export interface PushFacts {
  readonly interval: number
  /** Undefined where Prometheus does not scrape the tenancy proxy, or that does not know the site. */
  readonly writes: Writes | undefined
  /** The last write that was ever seen. */
  readonly delivered: number | undefined
  readonly now: number
  /** Since when it is listed. */
  readonly listedSince: number
}

/** Seconds: Prometheus scrapes the proxy now and then, and the site writes after its scrapes. */
const LATE = 60
const SILENT = 300
/** Until a new site is expected to have been set up. */
const NEVER = 600

/** What is wrong with a site that pushes. `unknown` is never what was known before. */
export function judgePushing({ interval, writes, delivered, now, listedSince }: PushFacts): Verdict {
  if (writes === undefined) return { state: "unknown", cause: "push_not_measured", details: {} }
  if (delivered === undefined) {
    const cause = now - listedSince > NEVER ? "push_never" : "push_waiting"
    const state = cause === "push_never" ? "down" : "waiting"
    return { state, cause, details: { since: moment(new Date(listedSince * 1000)) } }
  }
  const age = now - delivered
  if (age > Math.max(10 * interval, SILENT)) {
    return { state: "down", cause: "push_silent", details: { since: moment(new Date(delivered * 1000)) } }
  }
  if (age > 2 * interval + LATE) {
    return { state: "stale", cause: "push_late", details: { age: span(age), interval: spanInWords(interval) } }
  }
  if (writes.setAside >= 1) {
    return { state: "attention", cause: "push_set_aside", details: { n: count(Math.round(writes.setAside)) } }
  }
  return { state: "ok", cause: null, details: {} }
}
