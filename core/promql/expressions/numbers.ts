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
  return (sign * readDurationLiteral(text, at, reading)) / 1000
}
