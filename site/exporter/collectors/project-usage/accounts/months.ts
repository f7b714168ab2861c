/** A calendar month in UTC, in milliseconds of Unix time. */
export interface Window {
  /** As in `2026-11`. */
  readonly name: string
  readonly start: number
  readonly end: number
}

/** The month of a moment and those before it, `count` in all, the oldest first. */
export function latestMonths(moment: number, count: number): readonly Window[] {
  const date = new Date(moment)
  return Array.from({ length: count }, (_, index) =>
    monthOf(date.getUTCFullYear(), date.getUTCMonth() - (count - 1 - index)),
  )
}

function monthOf(year: number, month: number): Window {
  const start = Date.UTC(year, month)
  return { name: new Date(start).toISOString().slice(0, 7), start, end: Date.UTC(year, month + 1) }
}
