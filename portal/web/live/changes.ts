import type { Overview, SiteStatus } from "../../status/overview.ts"

/** What all sites together show, of which there is one on each page. */
export interface SummaryView {
  readonly title: string
  /** Which favicon. */
  readonly icon: string
  /** The HTML inside of the element with each id. */
  readonly parts: Readonly<Record<string, string>>
}

/** How the page shows things, so that what is live cannot differ from it. */
export interface Views {
  row(site: SiteStatus): string
  summary(overview: Overview): SummaryView
}

/** What an open page needs to show the present again. */
export interface Changes {
  /** The version of the page that has them. */
  readonly id: string
  /** The portal's clock, in milliseconds. */
  readonly now: number
  /** `rows` are all that there are. */
  readonly all: boolean
  /** Name and HTML. */
  readonly rows: readonly (readonly [name: string, html: string])[]
  /** Sites that are no more. */
  readonly gone: readonly string[]
  /** Sites whose own page shows something else. */
  readonly details: readonly string[]
  readonly summary: SummaryView
}

/** Names of sites that are no more, kept for pages that were away: more than a file of sites loses in an edit. */
const MOST_GONE = 5000

/**
 * Which rows changed since a version of the page. It keeps the number of its last change per site, and no row: what a page
 * missed is shown as it is now, however long the page was away.
 */
export function trackChanges(epoch: string, views: Views, now: () => number, first: Overview) {
  let count = 0
  let oldest = 0
  let shown = first.sites
  let summary = views.summary(first)
  const lastChange = new Map<string, number>()
  const lastDetail = new Map<string, number>()
  const gone = new Map<string, number>()
  const rendered = new WeakMap<SiteStatus, string>()

  const rowOf = (site: SiteStatus): string => {
    const known = rendered.get(site)
    if (known !== undefined) return known
    const html = views.row(site)
    rendered.set(site, html)
    return html
  }
  const version = (): string => `${epoch}-${count}`

  function forget(name: string): void {
    gone.set(name, count)
    lastChange.delete(name)
    lastDetail.delete(name)
    for (const [longest, at] of gone) {
      if (gone.size <= MOST_GONE) return
      gone.delete(longest)
      oldest = at
    }
  }

  return {
    version,
    /** The number of a version of this run; undefined where a page of it lacks everything. */
    numberIn,
    /** Compares with what was before: the changes, or undefined where a page shows nothing different. */
    advance(overview: Overview, detailed: ReadonlySet<string>): Changes | undefined {
      const before = new Map(shown.map((site) => [site.name, site]))
      const names = new Set(overview.sites.map(({ name }) => name))
      const isNew = (site: SiteStatus): boolean => {
        const previous = before.get(site.name)
        return previous !== site && (previous === undefined || rowOf(previous) !== rowOf(site))
      }
      const rows = overview.sites.filter(isNew).map((site) => [site.name, rowOf(site)] as const)
      const lost = [...before.keys()].filter((name) => !names.has(name))
      const details = [...detailed].filter((name) => names.has(name) && before.has(name))
      const previous = JSON.stringify(summary)
      summary = views.summary(overview)
      shown = overview.sites
      if (rows.length + lost.length + details.length === 0 && JSON.stringify(summary) === previous) return undefined
      count++
      for (const [name] of rows) {
        lastChange.set(name, count)
        gone.delete(name)
      }
      for (const name of details) lastDetail.set(name, count)
      for (const name of lost) forget(name)
      return { id: version(), now: now(), all: false, rows, gone: lost, details, summary }
    },
    /** What a page of this version lacks; everything where the version is not known. */
    since(id: string | undefined): Changes {
      const from = numberIn(id)
      const all = from === undefined
      const missedOf = (last: ReadonlyMap<string, number>) =>
        all ? shown : shown.filter(({ name }) => (last.get(name) ?? 0) > from)
      const missed = missedOf(lastChange)
      return {
        id: version(),
        now: now(),
        all,
        rows: missed.map((site) => [site.name, rowOf(site)] as const),
        gone: all ? [] : [...gone].filter(([, at]) => at > from).map(([name]) => name),
        details: [...new Set([...missed, ...missedOf(lastDetail)].map(({ name }) => name))],
        summary,
      }
    },
  }

  function numberIn(id: string | undefined): number | undefined {
    if (id?.startsWith(`${epoch}-`) !== true) return undefined
    const digits = id.slice(epoch.length + 1)
    const number = /^\d{1,15}$/.test(digits) ? Number(digits) : Infinity
    return number >= oldest && number <= count ? number : undefined
  }
}
