import { entryOf, isCauseId, type CauseId } from "./causes/index.ts"
import { day, plural, shortTime } from "./words.ts"

/** A site that fails, and since when. */
export interface FailingSite {
  readonly cause: string | null
  readonly since: Date
}

/** What many sites have in common that is probably the portal's fault. */
export interface SharedCause {
  readonly cause: CauseId
  readonly count: number
  /** When half of them had it. */
  readonly since: Date
  readonly message: string
  readonly todo: string
}

const LEAST_SITES = 3
const LEAST_SHARE = 0.2

/**
 * The cause that most sites share, if it points at the portal: of at least 3 of them and a fifth of `total`. Sites that are
 * paused belong to neither.
 */
export function sharedCause(failing: readonly FailingSite[], total: number, now: Date): SharedCause | undefined {
  const groups = Map.groupBy(failing, ({ cause }) => cause)
  const shared = [...groups].flatMap(([cause, sites]) => {
    const atPortal = cause !== null && isCauseId(cause) ? entryOf(cause).atPortal : undefined
    if (atPortal === undefined || cause === null || !isCauseId(cause)) return []
    return [{ cause, atPortal, count: sites.length, since: medianOf(sites.map(({ since }) => since)) }]
  })
  const [most] = shared.toSorted((a, b) => b.count - a.count || a.since.getTime() - b.since.getTime())
  if (most === undefined || most.count < LEAST_SITES || most.count < LEAST_SHARE * total) return undefined
  const { cause, atPortal, count, since } = most
  const message = `${plural(count, "site")} fail in the same way since ${timeOf(since, now)}: ${atPortal.sentence}. Probably it is here, at the portal.`
  return { cause, count, since, message, todo: atPortal.todo }
}

/** One that was broken long before must not date all. */
function medianOf(times: readonly Date[]): Date {
  const sorted = times.toSorted((a, b) => a.getTime() - b.getTime())
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? new Date(0)
}

const HALF_A_DAY = 43_200_000

function timeOf(since: Date, now: Date): string {
  const time = `${shortTime(since)} UTC`
  return now.getTime() - since.getTime() < HALF_A_DAY ? time : `${day(since)}, ${time}`
}
