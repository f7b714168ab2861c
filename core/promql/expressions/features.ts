import type { Feature } from "./dialect.ts"
import type { Span } from "./expression.ts"
import type { Reading } from "./reading.ts"

/** Reports where the dialect does not read this part of the grammar; `what`: such as `a name in quotes`. */
export function requireFeature(feature: Feature, what: string, at: Span, reading: Reading): void {
  const { features, switches, name } = reading.dialect
  if (features.has(feature)) return
  const flag = switches.get(feature)
  reading.report(at, flag === undefined ? `${name} does not know ${what}` : `${what} needs ${flag} in ${name}`)
}
