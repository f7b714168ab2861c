/**
 * Times, sizes and numbers as people read them: the same on the page, in `fedstack doctor`, in sentences and in alerts. All are
 * pure, in English, and in UTC. What is not a number is `–`.
 */

const [MINUTE, HOUR, DAY] = [60, 3_600, 86_400]
const NOTHING = "–"

const join = (value: number, unit: string): string => `${value} ${unit}`

/** How long, in at most two units: `40 s`, `41 min`, `2 h 12 min`, `3 d 4 h`, from a week on `12 d`. Begun ones do not count. */
export function span(seconds: number): string {
  if (!Number.isFinite(seconds)) return NOTHING
  const whole = Math.floor(Math.max(0, seconds))
  if (whole < MINUTE) return join(whole, "s")
  if (whole < HOUR) return join(Math.floor(whole / MINUTE), "min")
  if (whole < DAY) return twoUnits(whole, [HOUR, "h"], [MINUTE, "min"])
  if (whole < 7 * DAY) return twoUnits(whole, [DAY, "d"], [HOUR, "h"])
  return join(Math.floor(whole / DAY), "d")
}

type Unit = readonly [seconds: number, name: string]

function twoUnits(seconds: number, [large, largeName]: Unit, [small, smallName]: Unit): string {
  const rest = Math.floor((seconds % large) / small)
  const first = join(Math.floor(seconds / large), largeName)
  return rest === 0 ? first : `${first} ${join(rest, smallName)}`
}

/** How long, for sentences: `40 seconds`, `1 minute`, `5 hours`, `3 days`. Begun ones do not count. */
export function spanInWords(seconds: number): string {
  if (!Number.isFinite(seconds)) return NOTHING
  const whole = Math.floor(Math.max(0, seconds))
  if (whole < MINUTE) return plural(whole, "second")
  if (whole < HOUR) return plural(Math.floor(whole / MINUTE), "minute")
  return whole < DAY ? plural(Math.floor(whole / HOUR), "hour") : plural(Math.floor(whole / DAY), "day")
}

/** How long something took: `210 ms`, `1.0 s`, `24.1 s`, `1 min`. */
export function took(seconds: number): string {
  if (!Number.isFinite(seconds)) return NOTHING
  const milliseconds = Math.round(Math.max(0, seconds) * 1000)
  if (milliseconds < 1000) return join(milliseconds, "ms")
  const tenths = Math.round(seconds * 10)
  return tenths < 600 ? `${(tenths / 10).toFixed(1)} s` : span(Math.round(seconds))
}

const SIZES = ["B", "KiB", "MiB", "GiB", "TiB"] as const

/** In the units of sites.yaml: `812 B`, `1.2 MiB`, `256 MiB`. */
export function size(bytes: number): string {
  if (!Number.isFinite(bytes)) return NOTHING
  let [value, unit] = [Math.max(0, bytes), 0]
  // 1023.97 would be rounded to 1024 of a unit
  while (Math.round(value * 10) / 10 >= 1024 && unit < SIZES.length - 1) [value, unit] = [value / 1024, unit + 1]
  const rounded = value < 100 ? Math.round(value * 10) / 10 : Math.round(value)
  return `${unit === 0 ? Math.round(value) : rounded} ${SIZES[unit] ?? "B"}`
}

const NUMBERS = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 })

/** `1,904`. */
export const count = (value: number): string => (Number.isFinite(value) ? NUMBERS.format(Math.round(value)) : NOTHING)

/** `+12`, `−1,492`, with a minus sign that is as wide as the plus; `±0`. */
export function change(value: number): string {
  if (!Number.isFinite(value)) return NOTHING
  const rounded = Math.round(value)
  if (rounded === 0) return "±0"
  return `${rounded < 0 ? "−" : "+"}${count(Math.abs(rounded))}`
}

/** `1 site`, `38 sites`. */
export const plural = (value: number, one: string, many = `${one}s`): string =>
  `${count(value)} ${Math.round(value) === 1 ? one : many}`

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

const isTime = (at: Date): boolean => !Number.isNaN(at.getTime())

/** `1 Feb 2026`. */
export const day = (at: Date): string =>
  isTime(at) ? `${at.getUTCDate()} ${MONTHS[at.getUTCMonth()] ?? ""} ${at.getUTCFullYear()}` : NOTHING

/** `14:07:31 UTC`. */
export const time = (at: Date): string => (isTime(at) ? `${at.toISOString().slice(11, 19)} UTC` : NOTHING)

/** `14:01` in UTC, where the sentence says so or the second does not matter. */
export const shortTime = (at: Date): string => (isTime(at) ? at.toISOString().slice(11, 16) : NOTHING)

/** `30 Nov 2026, 14:07:31 UTC`. */
export const moment = (at: Date): string => (isTime(at) ? `${day(at)}, ${time(at)}` : NOTHING)
