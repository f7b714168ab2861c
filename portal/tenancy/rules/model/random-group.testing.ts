import type { Random } from "../../../../dev/fuzz/random.ts"
import type { Rule, RuleGroup } from "./group.ts"

type Choices = readonly [string, ...string[]]

/** What YAML may take for something else, or write so that it is read as something else. */
const PIECES: Choices = [
  ...([
    "a",
    "Word",
    " ",
    "  ",
    "\n",
    "\n\n",
    "\t",
    ": ",
    "- ",
    "# ",
    "'",
    '"',
    "\\",
    "{{ $value }}",
    "{ ",
    "]",
    ",",
    "&",
  ] as const),
  ...([
    "*",
    "!",
    "|",
    ">",
    "%",
    "@",
    "`",
    "?",
    "=",
    "<<",
    "~",
    "null",
    "yes",
    "no",
    "on",
    "true",
    "1",
    "0x1F",
    "1_0",
  ] as const),
  ...([
    "1e3",
    ".inf",
    "0o7",
    "012",
    "2001-01-01",
    "12:30",
    "ü",
    "日本",
    "😀",
    "\u00a0",
    "\u0085",
    "\u2028",
    "\u2029",
    "\ufeff",
  ] as const),
  ...(["\u0000", "\u0007", "\u007f", "\u200b", "\r", "\r\n", "---", "...", "\\n", "${x}", "word ".repeat(30)] as const),
]
const EXPRESSIONS: Choices = [
  "up == 0",
  "sum by (job) (rate(http_requests_total{code=~'5..'}[5m])) > 0.5",
  '\n  a # comment: it\'s "quoted"\n    / on (b)\n  c\n',
  "a\n\n\nor\tb",
  'label_replace(up, "a", "$1: x", "b", "(.*)")',
  "1",
  "vector(1) # \u2028 'x",
  "{__name__=~\"a|b: c\", x!='#'}",
  "  up  ",
  "count_over_time(up[1h:30s] offset 5m) >= bool 3",
]
const DURATIONS: Choices = ["1s", "60s", "1m", "90s", "1h30m", "1d", "5400s", "1500ms", "1w", "120m"]

const text = (random: Random): string => Array.from({ length: 1 + random.below(5) }, () => random.pick(PIECES)).join("")
const labelName = (random: Random): string =>
  `${random.pick(["a", "severity", "n", "y", "no", "_1", "Null"])}${random.below(3)}`

function map(random: Random): Readonly<Record<string, string>> {
  return Object.fromEntries(Array.from({ length: random.below(4) }, () => [labelName(random), text(random)]))
}

/** Fields of the object, each there or not. */
const some = <T extends object>(random: Random, fields: T): Partial<T> =>
  Object.fromEntries(Object.entries(fields).filter(() => random.chance(0.4))) as Partial<T>

function randomRule(random: Random): Rule {
  const expr = random.pick(EXPRESSIONS)
  const labels = map(random)
  if (random.chance(0.4)) return { record: `a:${labelName(random)}`, expr, ...some(random, { labels }) }
  const [duration, keep] = [random.pick([...DURATIONS, "0s"]), random.pick([...DURATIONS, "0s"])]
  return {
    ...{ alert: `A${text(random)}`, expr },
    ...some(random, { for: duration, keep_firing_for: keep, labels, annotations: map(random) }),
  }
}

/** Valid to Prometheus 3 and Cortex, with texts that are hard to write. */
export function randomGroup(random: Random, name: string): RuleGroup {
  return {
    name,
    ...some(random, {
      interval: random.pick(DURATIONS),
      query_offset: random.pick([...DURATIONS, "0s"]),
      limit: random.below(3),
      labels: map(random),
    }),
    rules: Array.from({ length: 1 + random.below(4) }, () => randomRule(random)),
  }
}

/** A name of a namespace or a group, without what rulers' YAML changes. */
export const randomName = (random: Random, suffix: string): string =>
  `${text(random).slice(0, 40).toWellFormed()}${suffix}`.replaceAll(/^\s+|[\u2028\u2029]/g, "_")
