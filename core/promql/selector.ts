export type MatchOp = "=" | "!=" | "=~" | "!~"

export interface Matcher {
  readonly label: string
  readonly op: MatchOp
  /** Unquoted; a regular expression in RE2 syntax for =~ and !~. */
  readonly value: string
}

/** Matchers that all must hold, in canonical order and without repetition; the metric's name is the label `__name__`. */
export type Selector = readonly Matcher[]
