import { oneOf, type Parse, parseAll, partsOf } from "#core/config/settings.ts"
import type { Dialect, Feature } from "#core/promql/expressions/dialect.ts"

export const TARGET_NAMES = ["prometheus-2.53", "prometheus-3.5", "prometheus-3.14", "cortex-1.21", "mimir"] as const
export type TargetName = (typeof TARGET_NAMES)[number]

/** Feature flags that change what a target accepts; `utf8-names` stands for a server whose names may hold any character. */
export const FEATURE_FLAGS = [
  "promql-experimental-functions",
  "promql-duration-expr",
  "promql-binop-fill-modifiers",
  "promql-extended-range-selectors",
  "utf8-names",
] as const satisfies readonly Feature[]
export type FeatureFlag = (typeof FEATURE_FLAGS)[number]

/** Separated by commas, as Prometheus has them. */
export const featureFlags: Parse<readonly FeatureFlag[]> = (flags) => parseAll(partsOf(flags), oneOf(FEATURE_FLAGS))

/** What evaluates rules, and so decides which are valid. */
export interface Target {
  readonly name: TargetName
  readonly dialect: Dialect
  /** UTF-8, or the letters, digits and underscores of Prometheus 2. */
  readonly nameScheme: "utf8" | "legacy"
  /** Of groups and rules; others are refused or, by a ruler, dropped without a word. */
  readonly groupFields: ReadonlySet<string>
  readonly ruleFields: ReadonlySet<string>
  readonly unknownFields: "refused" | "dropped"
  /** Such as `interval: ""`, which charts render. */
  readonly emptyDurations: "refused" | "dropped"
  /** `alert: null` beside `record`, and the other way round: nothing, or the text "null". */
  readonly nullNames: "nothing" | "text"
  /** `query_offset: 0s` and the like: none, or as if they were not there. */
  readonly zeroOffsets: "kept" | "dropped"
  /** Beside those of Go's text/template itself. */
  readonly templateFunctions: ReadonlySet<string>
  readonly acceptsEmptyGroups: boolean
}
