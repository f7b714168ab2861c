import { type State, STATES } from "./overview.ts"

/** The worst state of each quarter of an hour, as one letter each: of 96 a site, for 1,000 sites, on disk and in memory. */
export interface Day {
  /** The number of the quarter after the last one, since 1970. */
  readonly ends: number
  readonly letters: string
}

const QUARTERS = 96
const QUARTER = 900_000
const NOTHING = "-"
/** The worst first; `unknown` is never noted. */
const LETTERS = "dsawop"

export const EMPTY_DAY: Day = { ends: 0, letters: NOTHING.repeat(QUARTERS) }

/** With the state at a time, in milliseconds. Quarters in between are those of which nothing is known. */
export function withState(day: Day, state: State, now: number): Day {
  const moved = moveTo(day, now)
  const letter = LETTERS[STATES.indexOf(state)]
  if (letter === undefined) return moved
  const before = moved.letters.at(-1) ?? NOTHING
  if (before !== NOTHING && LETTERS.indexOf(before) <= LETTERS.indexOf(letter)) return moved
  return { ends: moved.ends, letters: moved.letters.slice(0, -1) + letter }
}

/** The same day, ended later. */
export function moveTo(day: Day, now: number): Day {
  const ends = Math.floor(now / QUARTER) + 1
  const passed = ends - day.ends
  if (passed <= 0) return day // a clock that went back keeps what was noted
  if (passed >= QUARTERS) return { ends, letters: EMPTY_DAY.letters }
  return { ends, letters: day.letters.slice(passed) + NOTHING.repeat(passed) }
}

export const statesOf = ({ letters }: Day): readonly (State | null)[] =>
  Array.from(letters, (letter) => STATES[LETTERS.indexOf(letter)] ?? null)

export const endOf = ({ ends }: Day): Date => new Date(ends * QUARTER)

/** Of a file that may be damaged. */
export const isDay = ({ ends, letters }: Day): boolean =>
  Number.isSafeInteger(ends) && letters.length === QUARTERS && /^[-dsawop]*$/.test(letters)
