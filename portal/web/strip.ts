import { shortTime, span } from "../diagnosis/words.ts"
import { type SiteStatus, type State, STATE_NAMES, STATES } from "../status/overview.ts"
import { type Html, markup } from "./html.ts"

const QUARTER = 900
const SHOWN = 96

interface Run {
  readonly state: State
  readonly from: number
  readonly to: number
}

/** The last 24 hours as a picture 96 units wide, thin and green where the site delivered; its title says the same in words. */
export function strip(site: SiteStatus): Html {
  const runs = runsOf(site.day)
  const paths = STATES.map((state) => [state, runs.filter((run) => run.state === state)] as const)
    .filter(([, of]) => of.length > 0)
    .map(([state, of]) => markup`<path class="c-${state}" d="${of.map((run) => bar(run)).join("")}"/>`)
  return markup`<svg class="strip" viewBox="0 0 96 16" preserveAspectRatio="none" role="img">
<title>24 h: ${inWords(runs, site)}</title>
${paths}
</svg>`
}

/** The same in words alone, for who cannot point at the picture. */
export const stripInWords = (site: SiteStatus): string => inWords(runsOf(site.day), site)

function bar({ state, from, to }: Run): string {
  const [top, height] = state === "ok" ? [9, 5] : [2, 12]
  return `M${from} ${top}h${to - from}v${height}h-${to - from}z`
}

function runsOf(day: SiteStatus["day"]): readonly Run[] {
  const runs: Run[] = []
  const first = SHOWN - Math.min(day.length, SHOWN)
  for (const [index, state] of day.slice(-SHOWN).entries()) {
    const [last, from] = [runs.at(-1), first + index]
    if (state === null) continue
    if (last?.state === state && last.to === from) runs[runs.length - 1] = { ...last, to: from + 1 }
    else runs.push({ state, from, to: from + 1 })
  }
  return runs
}

/** More of them than this are summed up. */
const SPELT_OUT = 3

type Known = Pick<SiteStatus, "lastState" | "since" | "dayEnds">

/** Such as `not delivering from 03:15 to 04:00 UTC, else delivering`. */
function inWords(runs: readonly Run[], site: Known): string {
  if (runs.length === 0) return "nothing known"
  const [only] = runs
  if (runs.length === 1 && only?.from === 0 && lastsStill(only, site)) return `${nameOf(only.state)} throughout`
  const trouble = runs.filter(({ state }) => state !== "ok")
  const delivered = runs.length > trouble.length
  const parts =
    trouble.length <= SPELT_OUT
      ? trouble.map((run) => `${nameOf(run.state)} ${whenOf(run, site)}`)
      : STATES.map((state) => [state, lengthOf(trouble, state)] as const)
          .filter(([, quarters]) => quarters > 0)
          .map(([state, quarters]) => `${nameOf(state)} for ${span(quarters * QUARTER)}`)
  if (parts.length === 0) return `delivering ${only === undefined ? "" : whenOf(only, site)} UTC`
  const zone = trouble.length <= SPELT_OUT ? " UTC" : ""
  return `${parts.join(", ")}${zone}${delivered ? ", else delivering" : ""}`
}

const lastsStill = ({ state, to }: Run, { lastState }: Known): boolean => to === SHOWN && state === lastState

/**
 * A quarter has the worst state that was in it: the last one may be over, and have begun in the middle. The site's own time
 * tells, which stands beside this.
 */
function whenOf(run: Run, site: Known): string {
  const at = (quarter: number): Date => new Date(site.dayEnds.getTime() - (SHOWN - quarter) * QUARTER * 1000)
  const [from, to] = [at(run.from), at(run.to)]
  if (run.to < SHOWN) return `from ${shortTime(from)} to ${shortTime(to)}`
  if (!lastsStill(run, site)) return `from ${shortTime(from)} to ${shortTime(site.since < to ? site.since : to)}`
  if (site.since <= from) return `since ${shortTime(from)}`
  return site.since < at(run.from + 1) ? `since ${shortTime(site.since)}` : `at times since ${shortTime(from)}`
}

const nameOf = (state: State): string => STATE_NAMES[state].toLowerCase()

const lengthOf = (runs: readonly Run[], wanted: State): number =>
  runs.reduce((sum, { state, from, to }) => (state === wanted ? sum + to - from : sum), 0)
