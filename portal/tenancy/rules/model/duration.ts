import { Wrong } from "#core/config/settings.ts"

/** From big to small, as they have to stand; in milliseconds. */
const UNITS = [
  ["y", 365 * 86_400_000],
  ["w", 7 * 86_400_000],
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
  ["ms", 1],
] as const
const DURATION = new RegExp(`^${UNITS.map(([unit]) => `(?:(\\d+)${unit})?`).join("")}$`)

/** Nanoseconds in 64 bits. */
const LONGEST = 9_223_372_036_854

/**
 * Milliseconds of a duration as rule files have them: whole numbers, each unit once, from big to small; `0` alone needs no
 * unit. Unlike in expressions there are no fractions and no signs. The reason is half a sentence.
 * https://pkg.go.dev/github.com/prometheus/common/model#ParseDuration
 */
export function parseRuleDuration(text: string): number | Wrong {
  if (text === "0") return 0
  const numbers = text === "" ? null : DURATION.exec(text)?.slice(1)
  if (numbers === null || numbers === undefined)
    return new Wrong("must be whole numbers with units from big to small, such as 1m30s or 2h")
  const total = UNITS.reduce((sum, [, size], index) => sum + Number(numbers[index] ?? 0) * size, 0)
  return total > LONGEST ? new Wrong("must be at most 292y") : total
}
