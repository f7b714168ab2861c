import type { Feature } from "./dialect.ts"
import type { Span } from "./expression.ts"
import type { Reading } from "./reading.ts"

/** Of what the server accepts although its switch is off. */
export function noteExperimental(what: string, flag: string, at: Span, reading: Reading): void {
  const accepts = `${reading.dialect.name} accepts it, and evaluates it through the query-frontend only with ${flag}`
  reading.note(at, `${what} is experimental: ${accepts}`)
}

/** Reports where the dialect does not read this part of the grammar; `what`: such as `a name in quotes`. */
export function requireFeature(feature: Feature, what: string, at: Span, reading: Reading): void {
  const { features, switches, name } = reading.dialect
  if (features.has(feature)) return
  const flag = switches.get(feature)
  if (flag !== undefined && reading.dialect.judgesLater) return noteExperimental(what, flag, at, reading)
  reading.report(at, flag === undefined ? `${name} does not know ${what}` : `${what} needs ${flag} in ${name}`)
}
