import { count, plural } from "../diagnosis/words.ts"
import { type Overview, type SiteStatus, type State, STATES } from "../status/overview.ts"

export type Counts = Readonly<Record<State, number>>

export function countStates(sites: readonly SiteStatus[]): Counts {
  const counts = Object.fromEntries(STATES.map((state) => [state, 0])) as Record<State, number>
  for (const { state } of sites) counts[state] += 1
  return counts
}

/** Which picture stands in the browser's tab. */
export type Mood = "ok" | "attention" | "trouble"

/** All sites in a sentence or two: the first is what matters, and the begin of the title. */
export interface Headline {
  readonly first: string
  readonly rest: string
  /** Both, for the browser's tab. */
  readonly title: string
  readonly mood: Mood
}

/** Never says that sites deliver while that is not known. */
export function headline({ sites, banners }: Overview): Headline {
  const counts = countStates(sites)
  const failing = counts.down + counts.stale
  const worst = moodOf(counts, failing)
  const mood = banners.some(({ severity }) => severity === "trouble")
    ? "trouble"
    : banners.length > 0 && worst === "ok"
      ? "attention"
      : worst
  const first = firstSentence(sites.length, counts, failing)
  const rest = [
    counts.unknown > 0 && failing > 0 && `${count(failing)} ${failing === 1 ? "does" : "do"} not.`,
    counts.attention > 0 && `${count(counts.attention)} ${counts.attention === 1 ? "needs" : "need"} attention.`,
    // beside sites that fail, the chips say it
    failing === 0 &&
      counts.waiting > 0 &&
      `${count(counts.waiting)} ${counts.waiting === 1 ? "waits" : "wait"} for the first scrape.`,
    failing === 0 &&
      counts.paused > 0 &&
      counts.paused < sites.length &&
      `${count(counts.paused)} ${counts.paused === 1 ? "is" : "are"} paused.`,
  ]
    .filter(Boolean)
    .join(" ")
  return { first, rest, title: `${first} ${rest}`.trim().replace(/\.$/, ""), mood }
}

function moodOf(counts: Counts, failing: number): Mood {
  if (failing > 0) return "trouble"
  return counts.attention + counts.waiting + counts.unknown > 0 || counts.ok === 0 ? "attention" : "ok"
}

function firstSentence(total: number, counts: Counts, failing: number): string {
  if (total === 0) return "No sites are listed yet."
  // where there are several Prometheus, those that respond say how the others are
  if (counts.unknown > 0 && counts.unknown < total - counts.paused)
    return `It is not known whether ${count(counts.unknown)} of the ${plural(total, "site")} ${counts.unknown === 1 ? "delivers" : "deliver"}.`
  if (counts.unknown > 0)
    return total === 1
      ? "It is not known whether the site delivers."
      : `It is not known which of the ${plural(total, "site")} deliver.`
  if (failing === 1) return total === 1 ? "The site does not deliver." : `1 of ${count(total)} sites doesn't deliver.`
  if (failing === total)
    return total === 2 ? "Neither of the 2 sites delivers." : `None of the ${count(total)} sites delivers.`
  if (failing > 0) return `${count(failing)} of ${count(total)} sites don't deliver.`
  if (counts.paused === total) return total === 1 ? "The site is paused." : `All ${count(total)} sites are paused.`
  const delivering = counts.ok + counts.attention
  if (delivering < total)
    return delivering === 0
      ? "No site delivers yet."
      : `${count(delivering)} of ${count(total)} sites ${delivering === 1 ? "delivers" : "deliver"}.`
  return total === 1 ? "The site delivers." : total === 2 ? "Both sites deliver." : `All ${count(total)} sites deliver.`
}
