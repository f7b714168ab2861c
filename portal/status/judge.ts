import type { Details } from "../diagnosis/cause.ts"
import { count, moment, span, spanInWords, took } from "../diagnosis/words.ts"
import type { ProbeReport } from "../diagnosis/probe-report.ts"
import { elapsed } from "./elapsed.ts"
import type { State } from "./overview.ts"
import type { ScrapeRecord } from "./record.ts"

/** All that the state of a site depends on. Times in seconds of Unix time, by Prometheus' clock. */
export interface Facts {
  readonly interval: number
  readonly timeout: number
  readonly paused: boolean
  readonly usesOAuth2: boolean
  readonly record: ScrapeRecord
  readonly now: number
  /** Since when Prometheus is to scrape it: since it is listed, or Prometheus is back, or has the configuration. */
  readonly expectedSince: number
  /** Whether Prometheus has its job; undefined where it does not say, or was just reloaded. */
  readonly hasPool: boolean | undefined
  readonly seriesDayAgo: number | null
  readonly report: ProbeReport | undefined
  readonly visible: Visible | undefined
  /** The token that the portal signed for it and Prometheus has, in seconds of the portal's clock. */
  readonly token?: { readonly issued: number; readonly expires: number; readonly now: number } | undefined
}

/** What Prometheus shows of a site's own series. */
export interface Visible {
  /** When it was counted. */
  readonly at: number
  /** The last scrape at that time. */
  readonly scraped: number
  readonly series: number
  readonly newest: number | undefined
}

export interface Verdict {
  readonly state: State
  /** The id of a cause, or `scrape_error` where it is to be read from Prometheus' words. */
  readonly cause: string | null
  readonly details: Details
}

/** Seconds that Prometheus may be late, as while it is reloaded. */
const GRACE = 15
/** Until Prometheus' words for a failure are read. */
const WORDS = 10
/** In which the next look at what is visible is due. */
const LOOK = 420
/** Beyond a site's own intervals: federation shows samples of the last five minutes. */
const OLD = 150
const DAY = 86_400
const CERTIFICATE_ENDS = 14 * DAY
/** Against a day ago, where it is more than a few. */
const DROP = { share: 0.2, least: 5 }
/** Seconds by which clocks may differ before it is said. */
const SKEW = 60

const OK: Verdict = { state: "ok", cause: null, details: {} }
const PAUSED: Verdict = { state: "paused", cause: null, details: {} }

/** What is wrong with a site, the worst first. It never is `unknown`: who calls this has Prometheus' last word. */
export function judge(facts: Facts): Verdict {
  if (facts.paused) return PAUSED
  return notScraped(facts) ?? failing(facts) ?? stale(facts) ?? attention(facts) ?? OK
}

function notScraped({
  record,
  now,
  interval,
  timeout,
  expectedSince,
  hasPool,
  usesOAuth2,
}: Facts): Verdict | undefined {
  if (hasPool === false) return { state: "down", cause: "not_scraped", details: {} }
  const overdue = 2 * interval + timeout + GRACE
  const { last, health, listedAt } = record
  if (last !== undefined && now - last.at <= overdue) return undefined
  if (now - expectedSince <= overdue) return waiting(expectedSince, interval, now)
  // scraped all the time, without a sample of it
  const isLost = listedAt !== undefined && listedAt > (last?.at ?? 0) && now - listedAt <= overdue
  if (isLost) return { state: "down", cause: "portal_storage", details: {} }
  if (usesOAuth2 && health === "unknown") return { state: "down", cause: "token_endpoint_hangs", details: {} }
  const since: Details = last === undefined ? {} : { since: moment(new Date(last.at * 1000)) }
  return { state: "down", cause: "scrape_overdue", details: { ...since, interval: spanInWords(interval) } }
}

/** Without times while it is not known since when Prometheus has its job. */
function waiting(since: number, interval: number, now: number): Verdict {
  const at = (seconds: number): string => moment(new Date(seconds * 1000))
  const details: Details = since < now ? { since: at(since), due: at(since + interval) } : {}
  return { state: "waiting", cause: "waiting", details }
}

/** From the second failure on, so that one that passes does not make the page flicker. */
function failing({ record, now, interval }: Facts): Verdict | undefined {
  const { failures, failingSince, last, error } = record
  if (failures === 0 || last === undefined || failingSince === undefined) return undefined
  const cause = !last.ok ? "scrape_error" : last.series === 0 ? "silent_empty" : "silent_dropped"
  const details: Details = cause === "silent_dropped" ? { n: count(last.series ?? 0) } : {}
  const isKnown = last.ok || error !== "" || now - last.at - (last.seconds ?? 0) > WORDS
  const lasts = isKnown && (failures > 1 || now - failingSince >= 2 * interval)
  return lasts ? { state: "down", cause, details } : { state: "attention", cause: "one_scrape_failed", details: {} }
}

function stale({ record, report, visible, interval, now }: Facts): Verdict | undefined {
  const { last } = record
  if (last === undefined) return undefined
  const skew = skewOf(report)
  const silent = report?.findings.find(({ cause }) => STALE.has(cause.id))
  if (visible !== undefined && elapsed(visible.at, now) < 2 * interval + LOOK) {
    if (visible.series === 0 && (last.kept ?? 0) > 0)
      return skew === undefined
        ? { state: "stale", cause: "silent_stale", details: silent?.cause.id === "silent_stale" ? silent.details : {} }
        : { state: "stale", cause: "silent_clock", details: skew }
    if (visible.newest !== undefined && visible.scraped - visible.newest > OLD)
      return { state: "stale", cause: "silent_stale", details: { since: moment(new Date(visible.newest * 1000)) } }
  }
  return silent && { state: "stale", cause: silent.cause.id, details: silent.details }
}

function attention(facts: Facts): Verdict | undefined {
  const { record, report, now, timeout, seriesDayAgo } = facts
  const { last, slow } = record
  if (last === undefined) return undefined
  const found = report?.findings.find(({ cause }) => ATTENTION.has(cause.id))
  if (found !== undefined) return { state: "attention", cause: found.cause.id, details: found.details }
  const token = notRenewed(facts)
  if (token !== undefined) return token
  const ends = report?.certificateExpires
  if (ends !== undefined && ends.getTime() / 1000 - now < CERTIFICATE_ENDS)
    return { state: "attention", cause: "certificate_expires", details: endOf(ends, now) }
  if (slow > 1)
    return {
      state: "attention",
      cause: "nearly_too_slow",
      details: { took: took(last.seconds ?? 0), timeout: span(timeout) },
    }
  const { series } = last
  if (seriesDayAgo === null || series === null) return undefined
  const lost = seriesDayAgo - series
  if (lost < DROP.least || lost <= DROP.share * seriesDayAgo) return undefined
  return { state: "attention", cause: "series_dropped", details: { now: count(series), before: count(seriesDayAgo) } }
}

/** The portal renews a token at half of its life: less than a quarter is left where it cannot, or Prometheus is not reloaded. */
function notRenewed({ token }: Facts): Verdict | undefined {
  if (token === undefined) return undefined
  const left = token.expires - token.now
  if (left >= (token.expires - token.issued) / 4) return undefined
  const details = {
    ...(left > 0 && { in: `in ${spanInWords(left)}` }),
    do: "The portal signs it and could not renew it, or not reload Prometheus: see the banner above the sites",
    besides: " and the portal's log",
  }
  return { state: "attention", cause: "token_expires", details }
}

/** Causes that a probe finds while scrapes succeed. Others, such as a refused connection, concern the probe alone. */
const STALE: ReadonlySet<string> = new Set(["silent_clock", "silent_stale"])
const ATTENTION: ReadonlySet<string> = new Set([
  "address_not_allowed",
  "address_dead",
  "silent_duplicate",
  "label_clash",
  "certificate_expires",
  "token_expires",
])

/** Whether a cause is one that is found beside the scrapes: by a probe, or a look at what is visible. */
export const isFoundBesides = (cause: string | null): boolean =>
  cause !== null && (STALE.has(cause) || ATTENTION.has(cause))

function skewOf(report: ProbeReport | undefined): Details | undefined {
  const skew = report?.clockSkew
  return skew === undefined || Math.abs(skew) < SKEW ? undefined : { skew: String(Math.round(skew)) }
}

function endOf(ends: Date, now: number): Details {
  const left = ends.getTime() / 1000 - now
  return { ...(left > 0 && { in: `in ${spanInWords(left)}` }), not_after: moment(ends) }
}
