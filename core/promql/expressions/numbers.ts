import type { Span } from "./expression.ts"
import { isDuration, literalOf, readDurationLiteral, readUnsigned } from "./literals.ts"
import type { Reading } from "./reading.ts"

/** A `NumberDurationLiteral`, which may have a sign; a duration in seconds. */
export function readNumber(at: Span, reading: Reading): number {
  const { sign, text } = literalOf(at, reading)
  if (!isDuration(text)) return sign * readUnsigned(text, at, reading)
  if (!reading.dialect.features.has("duration-as-number")) {
    reading.report(at, `${reading.dialect.name} reads no durations as numbers; write the seconds`)
  }
  return sign * secondsOf(readDurationLiteral(text, at, reading))
}

/** As Go computes it: whole seconds and the rest apart, which is not always the number that is nearest, as for 1993ms. */
function secondsOf(milliseconds: number): number {
  const rest = milliseconds % 1000
  return (milliseconds - rest) / 1000 + (rest * 1e6) / 1e9
}
