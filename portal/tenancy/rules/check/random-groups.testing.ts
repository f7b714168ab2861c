import type { Random } from "../../../../dev/fuzz/random.ts"

type Value = string | number | boolean | null | readonly Value[] | { readonly [key: string]: Value }

const ODD: readonly [Value, ...Value[]] = [null, "", 0, -1, 1.5, 30, true, false, [], {}, ["a"], { a: "b" }, "x y"]
const EXPRESSIONS: readonly [Value, ...Value[]] = [
  ...(["up", "up == 0", "sum(x)", 1, "0.5", "vector(1)", "a{b=~'c'}", "rate(x[5m])"] as const),
  ...(["rate(up)", "sum(", "up{", " ", "{}", "1 and 2", "a + bool b", "# c"] as const),
]
const DURATIONS: readonly [Value, ...Value[]] = [
  ...(["1m", "60s", "1m30s", "0", "0s", "1y2w3d4h5m6s7ms", "292y", "00s", 0] as const),
  ...(["293y", "1.5h", "-1m", "1m1h", "1m1m", "1", "m", " 1m", "1M", "1h 5m", 5, "999999999999999999999s"] as const),
]
const NAMES: readonly [Value, ...Value[]] = [
  "a",
  "b",
  "a:b",
  "a_1",
  "a.b",
  "a b",
  "é",
  "1a",
  ":a",
  "{",
  "a}",
  "🚨",
  "a\nb",
]
const LABELS: readonly [string, ...string[]] = [
  "k",
  "k2",
  "job",
  "a.b",
  "__name__",
  "",
  "1",
  "é",
  "a:b",
  "__x",
  "le",
  "a-b",
]
const TEXTS: readonly [Value, ...Value[]] = [
  ...(["v", "w", "", 5, 1.5, true, "{{ $value }}", "{{ $labels.job | toUpper }}", "é"] as const),
  ...(["{{ nope }}", "{{", "{{ $x }}", null, ["a"], {}] as const),
]

/** A rule file that is right in most of its parts, and wrong in any of them. Its values are of JSON, which YAML contains. */
export function randomRuleFile(random: Random): string {
  const groups = several(random, 3, () => randomGroup(random))
  const file = random.chance(0.02) ? { groups, more: 1 } : { groups: mostly(random, 0.98, groups) }
  return JSON.stringify(random.chance(0.02) ? {} : file)
}

/** One group, for a ruler. */
export function randomGroup(random: Random): Value {
  return mostly(random, 0.98, {
    ...field(random, "name", 0.98, () => mostly(random, 0.95, random.pick(NAMES))),
    ...field(random, "interval", 0.3, () => randomDuration(random)),
    ...field(random, "query_offset", 0.2, () => randomDuration(random)),
    ...field(random, "limit", 0.2, () => mostly(random, 0.8, random.below(9))),
    ...field(random, "labels", 0.2, () => randomTexts(random)),
    ...field(random, "source_tenants", 0.01, () => ["a"]),
    ...field(random, "intervall", 0.01, () => "1m"),
    ...field(random, "rules", 0.97, () =>
      mostly(
        random,
        0.98,
        several(random, 4, () => randomRule(random)),
      ),
    ),
  })
}

function randomRule(random: Random): Value {
  const isAlert = random.chance(0.5)
  return mostly(random, 0.98, {
    ...field(random, "record", isAlert ? 0.02 : 0.98, () => mostly(random, 0.97, likely(random, NAMES, 4))),
    ...field(random, "alert", isAlert ? 0.98 : 0.02, () => mostly(random, 0.97, random.pick(NAMES))),
    ...field(random, "expr", 0.98, () => mostly(random, 0.98, likely(random, EXPRESSIONS, 8))),
    ...field(random, "for", isAlert ? 0.4 : 0.03, () => randomDuration(random)),
    ...field(random, "keep_firing_for", isAlert ? 0.2 : 0.03, () => randomDuration(random)),
    ...field(random, "labels", 0.5, () => randomTexts(random)),
    ...field(random, "annotations", isAlert ? 0.5 : 0.03, () => randomTexts(random)),
    ...field(random, "severity", 0.01, () => "page"),
  })
}

const randomDuration = (random: Random): Value => mostly(random, 0.97, likely(random, DURATIONS, 9))

const randomTexts = (random: Random): Value =>
  mostly(
    random,
    0.97,
    Object.fromEntries(several(random, 3, () => [likely(random, LABELS, 3), likely(random, TEXTS, 9)] as const)),
  )

/** The value, or any other. */
const mostly = (random: Random, probability: number, value: Value): Value =>
  random.chance(probability) ? value : random.pick(ODD)

/** One of the first, which are right, or now and then any. */
function likely<T>(random: Random, all: readonly [T, ...T[]], right: number): T {
  const [first, ...more] = all.slice(0, right)
  return random.chance(0.85) && first !== undefined ? random.pick([first, ...more]) : random.pick(all)
}

const field = (
  random: Random,
  name: string,
  probability: number,
  value: () => Value,
): { readonly [key: string]: Value } => (random.chance(probability) ? { [name]: value() } : {})

const several = <T>(random: Random, most: number, make: () => T): readonly T[] =>
  Array.from({ length: random.below(most + 1) }, make)
