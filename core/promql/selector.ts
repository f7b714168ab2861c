export type MatchOp = "=" | "!=" | "=~" | "!~"

export interface Matcher {
  readonly label: string
  readonly op: MatchOp
  /** Unquoted; a regular expression in RE2 syntax for =~ and !~. */
  readonly value: string
}

/** Matchers that all must hold, in canonical order and without repetition; the metric's name is the label `__name__`. */
export type Selector = readonly Matcher[]

/** The same matchers sorted by label, operator and value, each once. */
export function canonical(matchers: readonly Matcher[]): Selector {
  const sorted = matchers.toSorted(
    (a, b) => compare(a.label, b.label) || compare(a.op, b.op) || compare(a.value, b.value),
  )
  return sorted.filter((matcher, index) => !same(matcher, sorted[index - 1]))
}

export function sameSelector(a: Selector, b: Selector): boolean {
  return a.length === b.length && a.every((matcher, index) => same(matcher, b[index]))
}

function same(a: Matcher, b: Matcher | undefined): boolean {
  return a.label === b?.label && a.op === b.op && a.value === b.value
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** A label name that can be written without quotes; the others exist since Prometheus 3 only. */
export function isLegacyLabel(name: string): boolean {
  return /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name)
}

/**
 * The one spelling of a selector, all in braces: `{__name__="up",job="a"}`. Prometheus 2.42 to 3.x read it alike, except
 * that a label whose name needs quotes (isLegacyLabel) is known to 3.x only.
 */
export function printSelector(selector: Selector): string {
  return `{${selector.map(({ label, op, value }) => `${printLabel(label)}${op}${quote(value)}`).join(",")}}`
}

function printLabel(name: string): string {
  return isLegacyLabel(name) ? name : quote(name)
}

/** Backslashes, quotes, control characters, and U+FFFD, which Prometheus takes for broken UTF-8 where it stands unescaped. */
export function quote(value: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what must be escaped
  const escaped = value.replaceAll(/[\\"\u0000-\u001f\u007f-\u009f\u2028\u2029\ufffd]/g, (char) =>
    char === "\\" || char === '"' ? `\\${char}` : `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  )
  return `"${escaped}"`
}
