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
<title>24 h: ${inWords(runs, site.dayEnds)}</title>
${paths}
</svg>`
}

/** The same in words alone, for who cannot point at the picture. */
export const stripInWords = ({ day, dayEnds }: SiteStatus): string => inWords(runsOf(day), dayEnds)

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

/** Such as `not delivering from 03:15 to 04:00 UTC, else delivering`. */
function inWords(runs: readonly Run[], ends: Date): string {
  if (runs.length === 0) return "nothing known"
  const [only] = runs
  if (runs.length === 1 && only?.from === 0 && only.to === SHOWN) return `${nameOf(only.state)} throughout`
  const trouble = runs.filter(({ state }) => state !== "ok")
  const delivered = runs.length > trouble.length
  const at = (quarter: number): string => shortTime(new Date(ends.getTime() - (SHOWN - quarter) * QUARTER * 1000))
  const parts =
    trouble.length <= SPELT_OUT
      ? trouble.map(({ state, from, to }) =>
          to === SHOWN ? `${nameOf(state)} since ${at(from)}` : `${nameOf(state)} from ${at(from)} to ${at(to)}`,
        )
      : STATES.map((state) => [state, lengthOf(trouble, state)] as const)
          .filter(([, quarters]) => quarters > 0)
          .map(([state, quarters]) => `${nameOf(state)} for ${span(quarters * QUARTER)}`)
  if (parts.length === 0) return `delivering since ${at(only?.from ?? 0)} UTC`
  const zone = trouble.length <= SPELT_OUT ? " UTC" : ""
  return `${parts.join(", ")}${zone}${delivered ? ", else delivering" : ""}`
}

const nameOf = (state: State): string => STATE_NAMES[state].toLowerCase()

const lengthOf = (runs: readonly Run[], wanted: State): number =>
  runs.reduce((sum, { state, from, to }) => (state === wanted ? sum + to - from : sum), 0)
