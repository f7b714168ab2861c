import type { Finding } from "../diagnosis/cause.ts"
import type { ProbeReport } from "../diagnosis/probe-report.ts"
import { isCauseId } from "../diagnosis/causes/index.ts"
import { find } from "../diagnosis/find.ts"
import { day } from "../diagnosis/words.ts"
import { withChange } from "./changes.ts"
import { type Day, EMPTY_DAY, endOf, moveTo, statesOf, withState } from "./day.ts"
import { elapsed } from "./elapsed.ts"
import { type Facts, isFoundBesides, judge, type Verdict, type Visible } from "./judge.ts"
import { judgePushing, type Writes } from "./judge-pushing.ts"
import { type ListedSite, lineOf } from "./listed.ts"
import type { SiteChange, SiteStatus, State } from "./overview.ts"
import { isBad, NO_SCRAPES, type ScrapeRecord } from "./record.ts"

/** What a verdict means to people; undefined where nothing is wrong. */
export type Explain = (
  verdict: Verdict,
  tracked: Pick<Tracked, "site" | "record" | "report">,
  /** Milliseconds that the clock of Prometheus is ahead of ours. */
  ahead: number,
) => Finding | undefined

/** What outlives a restart of the portal. */
export interface Remembered {
  readonly record: ScrapeRecord
  /** The last state that is known; never `unknown`. */
  readonly state: State
  readonly since: Date
  readonly changes: readonly SiteChange[]
  readonly day: Day
  readonly seriesDayAgo: number | null
  /** Since when it is listed, in seconds of Prometheus' clock. */
  readonly listedSince: number
}

/** A site with all that is known of it. Immutable: each change makes a new one. */
export interface Tracked extends Remembered {
  readonly site: ListedSite
  /** The Prometheus whose word counts. */
  readonly shard: string
  readonly verdict: Verdict
  readonly finding: Finding | undefined
  readonly report: ProbeReport | undefined
  readonly visible: Visible | undefined
  /** Its url was another one when it was listed first: what Prometheus scraped before is not of this one. */
  readonly moved: boolean
  /** Of a site that pushes; undefined where Prometheus does not have it. */
  readonly writes?: Writes | undefined
  readonly row: SiteStatus
  /** What the finding and the row were made of. */
  readonly shown: Pick<Tracked, "record" | "report">
  /** Milliseconds that the clock of its Prometheus is ahead of ours. */
  readonly ahead: number
  /** What it was when Prometheus went away, until it is known what it is now. */
  readonly interrupted?: Pick<Tracked, "state" | "since"> | undefined
  /** Since when, in milliseconds, its verdict is one of an earlier process that no scrape shows. */
  readonly rememberedAt: number | undefined
}

export const newlyListed = ({ now, ahead }: Moment): Remembered => ({
  record: NO_SCRAPES,
  state: "waiting",
  since: new Date(now),
  changes: [],
  day: EMPTY_DAY,
  seriesDayAgo: null,
  listedSince: (now + ahead) / 1000,
})

/** Times in milliseconds. */
export interface Moment {
  readonly now: number
  /** How far the clock of Prometheus is ahead of ours. */
  readonly ahead: number
  /** Whether Prometheus responds: without it nothing is known. */
  readonly known: boolean
  /** When the token that the portal signed for a site began and ends, in seconds, as Prometheus has it. */
  readonly tokenOf?: ((site: string) => { readonly issued: number; readonly expires: number } | undefined) | undefined
  /** Since when it responds and has the configuration, in seconds of its clock; undefined while that is not so. */
  readonly readySince: number | undefined
}

/** A site as it is at first, or as an earlier process left it. `now`: in milliseconds. */
export function track(site: ListedSite, remembered: Remembered, shard: string, now: number): Tracked {
  const finding = findingOf(remembered, site)
  const verdict: Verdict = { state: remembered.state, cause: finding?.cause.id ?? null, details: {} }
  const ahead = 0
  return {
    ...remembered,
    site,
    shard,
    verdict,
    finding,
    report: undefined,
    visible: undefined,
    moved: false,
    row: rowOf({ ...remembered, site, shard, finding, ahead }, false, statesOf(remembered.day)),
    shown: { record: NO_SCRAPES, report: undefined },
    ahead,
    rememberedAt: isFoundBesides(verdict.cause) ? now : undefined,
  }
}

/** What its last change says is wrong, without details that are not noted. */
function findingOf({ state, changes: [last] }: Remembered, site: ListedSite): Finding | undefined {
  if (last === undefined || last.state !== state || last.cause === null || !isCauseId(last.cause)) return undefined
  const found = find(last.cause, { line: lineOf(site), url: site.url })
  return { ...found, reason: last.reason ?? found.reason }
}

/** Milliseconds within which each site has been probed and looked at. */
const LOOKED = 600_000

/**
 * Whether what an earlier process found is all that is known. Scrapes that succeed do not show what a probe or a look at the
 * series found: the site is not to be green until these are made again.
 */
function isAsRemembered(tracked: Tracked, { state }: Verdict, now: number): boolean {
  const { rememberedAt, verdict, report, visible } = tracked
  if (rememberedAt === undefined || (state !== "ok" && state !== "attention")) return false
  const isLooked = report !== undefined && (verdict.state !== "stale" || visible !== undefined)
  return !isLooked && elapsed(rememberedAt, now) < LOOKED
}

/** Another Prometheus counts from now on, which may know of scrapes already. History of before stays at the old one. */
export function atShard(
  tracked: Tracked,
  shard: string,
  record: ScrapeRecord | undefined,
  { now, ahead }: Moment,
): Tracked {
  return {
    ...tracked,
    shard,
    record: record ?? { ...NO_SCRAPES, delivered: tracked.record.delivered },
    visible: undefined,
    seriesDayAgo: null,
    listedSince: (now + ahead) / 1000,
    row: { ...tracked.row, shard },
  }
}

/** With what is known now. The same object where nothing changed. */
export function update(tracked: Tracked, hasPool: boolean | undefined, moment: Moment, explain: Explain): Tracked {
  const { site, record } = tracked
  if (!moment.known && site.paused === undefined) {
    return withoutKnowledge(tracked, {}, moment.now)
  }
  const clock = (moment.now + moment.ahead) / 1000
  if (site.pushes !== undefined && site.paused === undefined) return updatePushing(tracked, clock, moment, explain)
  const token = moment.tokenOf?.(site.name)
  const facts: Facts = {
    interval: site.interval,
    timeout: site.timeout,
    paused: site.paused !== undefined,
    usesOAuth2: site.usesOAuth2,
    record,
    now: clock,
    expectedSince: Math.max(tracked.listedSince, moment.readySince ?? clock),
    hasPool,
    seriesDayAgo: tracked.seriesDayAgo,
    report: tracked.report,
    visible: tracked.visible,
    token: token && { ...token, now: moment.now / 1000 },
  }
  const verdict = judge(facts)
  if (isAsRemembered(tracked, verdict, moment.now))
    return withVerdict(tracked, tracked.verdict, tracked.finding, moment)
  const { rememberedAt } = tracked
  const known = rememberedAt === undefined ? tracked : { ...tracked, rememberedAt: undefined }
  return withExplained(known, verdict, moment, explain)
}

/** Of a site that pushes: what is not known now is never shown as what was known before. */
function updatePushing(tracked: Tracked, now: number, moment: Moment, explain: Explain): Tracked {
  const { site, record, writes, listedSince } = tracked
  const verdict = judgePushing({ interval: site.interval, writes, delivered: record.delivered, now, listedSince })
  if (verdict.state !== "unknown") return withExplained(tracked, verdict, moment, explain)
  const finding = explain(verdict, tracked, moment.ahead)
  const { id = null, title = null } = finding?.cause ?? {}
  const words = { cause: id, causeTitle: title, reason: finding?.reason ?? null, todo: finding?.todo ?? null }
  return withoutKnowledge(tracked, words, moment.now)
}

/** What was known stays, and its place in the last 24 hours. */
function withoutKnowledge(tracked: Tracked, words: Partial<SiteStatus>, now: number): Tracked {
  const { row } = tracked
  const moved = moveTo(tracked.day, now)
  const isSameDay = moved === tracked.day
  const shownDay = isSameDay ? {} : { day: statesOf(moved), dayEnds: endOf(moved) }
  const next = keepSame({ ...row, state: "unknown", ...words, ...shownDay }, row)
  return next === row && isSameDay ? tracked : { ...tracked, day: moved, row: next }
}

function withExplained(tracked: Tracked, verdict: Verdict, moment: Moment, explain: Explain): Tracked {
  const { record, shown } = tracked
  const isSame =
    sameVerdict(verdict, tracked.verdict) && shown.record.error === record.error && shown.report === tracked.report
  const finding =
    isSame && verdict.cause !== null
      ? tracked.finding
      : keepFinding(explain(verdict, tracked, moment.ahead), tracked.finding)
  return withVerdict(tracked, verdict, finding, moment)
}

function withVerdict(
  tracked: Tracked,
  verdict: Verdict,
  finding: Finding | undefined,
  { now, ahead }: Pick<Moment, "now" | "ahead">,
): Tracked {
  const { record, row } = tracked
  const { state } = verdict
  const noted = withState(tracked.day, state, now)
  const { shown } = tracked
  const isSame =
    finding === tracked.finding &&
    record === shown.record &&
    tracked.report === shown.report &&
    noted === tracked.day &&
    ahead === tracked.ahead
  if (isSame && state === row.state && tracked.seriesDayAgo === row.seriesDayAgo) return tracked
  const standing = standingOf(tracked, verdict, now)
  const cause = finding?.cause.id ?? null
  const isChange = state !== tracked.state || cause !== row.cause
  const changes = isChange ? withChange(tracked.changes, changeOf(state, finding, record, now)) : tracked.changes
  const next = { ...tracked, verdict, finding, state, ...standing, day: noted, changes, ahead }
  const shownDay = noted === tracked.day ? row.day : statesOf(noted)
  return {
    ...next,
    row: keepSame(rowOf(next, true, shownDay), row),
    shown: { record, report: tracked.report },
  }
}

/** Since when it is in its state: while Prometheus is away nothing ends, and what is found as before has lasted. */
function standingOf(
  { state: before, since, interrupted, record }: Tracked,
  { state, cause }: Verdict,
  now: number,
): Pick<Tracked, "since" | "interrupted"> {
  if (state === "waiting" || cause === "one_scrape_failed") {
    // one that was never scraped waits for other reasons
    const isInterrupted =
      state === "waiting" && before !== "waiting" && before !== "paused" && record.last !== undefined
    const begin = isInterrupted ? { state: before, since } : undefined
    return { since: state === before ? since : new Date(now), interrupted: interrupted ?? begin }
  }
  if (state === before) return { since, interrupted: undefined }
  return { since: interrupted?.state === state ? interrupted.since : new Date(now), interrupted: undefined }
}

const changeOf = (state: State, finding: Finding | undefined, { error }: ScrapeRecord, now: number) => ({
  at: new Date(now),
  state,
  cause: finding?.cause.id ?? null,
  reason: finding?.reason ?? null,
  text: error === "" ? null : error,
})

/** Another failure for the same reason. */
export function withAnotherFailure(tracked: Tracked, record: ScrapeRecord, now: number): Tracked {
  const next = { ...tracked, record }
  const { last } = record
  const [change] = tracked.changes
  const isAnother = last !== undefined && isBad(last) && tracked.record.last !== last && change !== undefined
  if (!isAnother || change.cause === null || change.state !== "down") return next
  const text = record.error === "" ? null : record.error
  return { ...next, changes: withChange(tracked.changes, { ...change, at: new Date(now), text }) }
}

const keepFinding = (next: Finding | undefined, before: Finding | undefined): Finding | undefined =>
  next?.cause === before?.cause && next?.reason === before?.reason && next?.todo === before?.todo ? before : next

const sameVerdict = (one: Verdict, other: Verdict): boolean =>
  one.state === other.state &&
  one.cause === other.cause &&
  JSON.stringify(one.details) === JSON.stringify(other.details)

type ForRow = Pick<
  Tracked,
  "site" | "shard" | "record" | "state" | "since" | "day" | "seriesDayAgo" | "finding" | "ahead"
>

function rowOf(
  { site, shard, record, state, since, day: noted, seriesDayAgo, finding, ahead }: ForRow,
  known: boolean,
  shownDay: SiteStatus["day"],
): SiteStatus {
  const { last, delivered } = record
  const isScraped = last?.ok === true
  return {
    name: site.name,
    labels: site.labels,
    url: site.url,
    state: known || site.paused !== undefined ? state : "unknown",
    lastState: state,
    cause: finding?.cause.id ?? null,
    causeTitle: finding?.cause.title ?? null,
    reason: finding?.reason ?? pauseOf(site),
    todo: finding?.todo ?? null,
    since,
    // of a site that pushes it is a time of the tenancy proxy's
    lastDelivery: delivered === undefined ? null : new Date(delivered * 1000 - (site.pushes === undefined ? ahead : 0)),
    series: isScraped ? last.series : null,
    seriesDayAgo,
    durationSeconds: last?.seconds ?? null,
    timeoutSeconds: site.timeout,
    intervalSeconds: site.interval,
    day: shownDay,
    dayEnds: endOf(noted),
    shard,
  }
}

/** Of what sites.yaml says of a pause; null where the site is not paused. */
function pauseOf({ paused }: ListedSite): string | null {
  if (paused === undefined) return null
  const { by, at, why } = paused
  const begin = `Paused${by === undefined ? "" : ` by ${by}`}${at === undefined ? "" : ` since ${day(at)}`}`
  return why === undefined ? `${begin}.` : `${begin}: ${why}`
}

/** Rows that look the same are the same object: what reads them compares no fields. */
function keepSame(next: SiteStatus, before: SiteStatus): SiteStatus {
  const keys = Object.keys(next) as (keyof SiteStatus)[]
  return keys.every((key) => isEqual(next[key], before[key])) ? before : next
}

function isEqual(one: unknown, other: unknown): boolean {
  return one instanceof Date && other instanceof Date ? one.getTime() === other.getTime() : one === other
}
