import { clean } from "./changes.ts"
import type { Scrape, Target } from "./scrapes.ts"

/** What is remembered of the scrapes of a site. Times in seconds of Unix time, by Prometheus' clock. */
export interface ScrapeRecord {
  readonly last: Scrape | undefined
  /** Prometheus' own words for the last failure; empty where the last scrape succeeded, or before any were read. */
  readonly error: string
  /** The scrape that they are about: until they are read anew, those of the failure before stand. */
  readonly errorAt: number | undefined
  /** Scrapes in a row that failed or brought no series, or none that is kept. */
  readonly failures: number
  readonly failingSince: number | undefined
  /** The last scrape that brought series. */
  readonly delivered: number | undefined
  /** Scrapes in a row that took most of the timeout. */
  readonly slow: number
  /** Whether Prometheus has scraped it since it made the target. */
  readonly health: Target["health"] | undefined
  /** The last scrape in the list of targets, which has also those whose samples could not be stored. */
  readonly listedAt: number | undefined
}

export const NO_SCRAPES: ScrapeRecord = {
  last: undefined,
  error: "",
  errorAt: undefined,
  failures: 0,
  failingSince: undefined,
  delivered: undefined,
  slow: 0,
  health: undefined,
  listedAt: undefined,
}

/** Of the timeout. */
const SLOW = 0.7
/** Seconds by which the time of the series `up` may differ from the one in the list of targets: it is aligned. */
const SAME = 0.1

/** Whether Prometheus' words for the last failure are still to be read. */
export const lacksWords = ({ last, errorAt }: ScrapeRecord): boolean => last?.ok === false && errorAt !== last.at

/** Failed, or as good as that. */
export const isBad = ({ ok, series, kept }: Scrape): boolean => !ok || series === 0 || kept === 0

/** With a scrape that is newer than the last one; otherwise the same record. */
export function withScrape(record: ScrapeRecord, scrape: Scrape, timeout: number): ScrapeRecord {
  const { last } = record
  if (last !== undefined && scrape.at - last.at < SAME) return withNumbers(record, last, scrape)
  const bad = isBad(scrape)
  return {
    last: scrape,
    error: scrape.ok ? "" : record.error,
    errorAt: scrape.ok ? undefined : record.errorAt,
    failures: bad ? record.failures + 1 : 0,
    failingSince: bad ? (record.failingSince ?? scrape.at) : undefined,
    delivered: bad ? record.delivered : scrape.at,
    slow: scrape.ok && (scrape.seconds ?? 0) > SLOW * timeout ? record.slow + 1 : 0,
    health: scrape.ok ? "up" : "down",
    listedAt: record.listedAt,
  }
}

/** The same scrape, of which the list of targets said less. */
function withNumbers(record: ScrapeRecord, last: Scrape, scrape: Scrape): ScrapeRecord {
  if (Math.abs(scrape.at - last.at) >= SAME || last.series !== null || scrape.series === null) return record
  const { seconds, series, kept } = scrape
  const filled = { ...record, last: { ...last, seconds, series, kept } }
  if (!isBad(filled.last) || !last.ok) return filled
  const before = record.delivered === last.at ? undefined : record.delivered
  return { ...filled, failures: 1, failingSince: last.at, delivered: before }
}

/**
 * With what the list of targets says: the words of a failure, and a failure that the series do not show yet. Where there are no
 * series to come (`alone`), successes too.
 */
export function withTarget(record: ScrapeRecord, target: Target, timeout: number, alone: boolean): ScrapeRecord {
  const { at, health, error, seconds } = target
  if (at === 0 || health === "unknown") return record.health === health ? record : { ...record, health }
  const { last } = record
  const isNewer = (alone || health === "down") && (last === undefined || at - last.at >= SAME)
  const scrape = { at, ok: health === "up", seconds, series: null, kept: null }
  const before = record.listedAt === at ? record : { ...record, listedAt: at }
  const known = isNewer ? withScrape(before, scrape, timeout) : before
  // it may be older than the last scrape that is known by its series
  const isSame = known.last !== undefined && Math.abs(at - known.last.at) < SAME
  if (isSame && health === "down" && known.errorAt !== known.last.at)
    return { ...known, error: clean(error), errorAt: known.last.at, health }
  return known.health === health ? known : { ...known, health }
}
