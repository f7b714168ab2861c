/** What a server reads beyond the grammar that all share. */
export interface Dialect {
  /** For messages: `Prometheus 3.5`. */
  readonly name: string
  /** Functions and aggregations that it knows and needs no flag for. */
  readonly functions: ReadonlySet<string>
  /** Those that need `promql-experimental-functions`. */
  readonly experimentalFunctions: ReadonlySet<string>
  /** Parts of the grammar that it reads, and flags that are on. */
  readonly features: ReadonlySet<Feature>
  /** It accepts what a switch turns on, and decides where it evaluates whether that is on. */
  readonly judgesLater: boolean
  /** How a feature that is off is switched on, in the words of the server; one that is missing here cannot be. */
  readonly switches: ReadonlyMap<Feature, string>
}

/** Named as the flags of Prometheus where there is one. */
export type Feature =
  | "promql-experimental-functions"
  | "promql-duration-expr"
  | "promql-binop-fill-modifiers"
  | "promql-extended-range-selectors"
  /** Names in quotes: `{"http.requests"}`. */
  | "utf8-names"
  /** `[300]`, and `1h` for 3600. */
  | "duration-as-number"
  /** `1_000`. */
  | "number-separators"
  /** `</` and `>/`. */
  | "trim-operators"
  /** `step()` in duration expressions. */
  | "duration-step"
  /** `range()`, `min_of()` and `max_of()` in duration expressions. */
  | "duration-functions"
