/** How many arguments each takes, at least and at most: a call with others fails when the alert fires. */
type Arity = readonly [least: number, most: number]

const ANY = Infinity

/** Of Go's text/template itself. */
const GO: Readonly<Record<string, Arity>> = {
  and: [1, ANY],
  call: [1, ANY],
  eq: [2, ANY],
  ge: [2, 2],
  gt: [2, 2],
  html: [0, ANY],
  index: [1, ANY],
  js: [0, ANY],
  le: [2, 2],
  len: [1, 1],
  lt: [2, 2],
  ne: [2, 2],
  not: [1, 1],
  or: [1, ANY],
  print: [0, ANY],
  printf: [1, ANY],
  println: [0, ANY],
  slice: [1, 4],
  urlquery: [0, ANY],
}

const PROMETHEUS: Readonly<Record<string, Arity>> = {
  args: [0, ANY],
  externalURL: [0, 0],
  first: [1, 1],
  graphLink: [1, 1],
  humanize: [1, 1],
  humanize1024: [1, 1],
  humanizeDuration: [1, 1],
  humanizePercentage: [1, 1],
  humanizeTimestamp: [1, 1],
  label: [2, 2],
  match: [2, 2],
  now: [0, 0],
  parseDuration: [1, 1],
  pathPrefix: [0, 0],
  query: [1, 1],
  reReplaceAll: [3, 3],
  safeHtml: [1, 1],
  sortByLabel: [2, 2],
  stripDomain: [1, 1],
  stripPort: [1, 1],
  strvalue: [1, 1],
  tableLink: [1, 1],
  title: [1, 1],
  toDuration: [1, 1],
  toLower: [1, 1],
  toTime: [1, 1],
  toUpper: [1, 1],
  urlQueryEscape: [1, 1],
  value: [1, 1],
}

/** Of Prometheus 3; all others are in 2.53 already. */
const MINOR_OF_3: Readonly<Record<string, number>> = { now: 6, toDuration: 6, urlQueryEscape: 8 }

/** What Prometheus adds to Go's, up to version 3.`minor`; before 3.0, -1. */
export function prometheusFunctions(minor: number): ReadonlySet<string> {
  return new Set(Object.keys(PROMETHEUS).filter((name) => (MINOR_OF_3[name] ?? -1) <= minor))
}

export const BUILTINS: readonly string[] = Object.keys(GO)

/** Undefined: not known here. */
export function arityOf(name: string): Arity | undefined {
  if (Object.hasOwn(GO, name)) return GO[name]
  return Object.hasOwn(PROMETHEUS, name) ? PROMETHEUS[name] : undefined
}
