import { randomRegex, randomTokens } from "./random-regex.ts"
import type { Random } from "./random.ts"

type Words = readonly [string, ...string[]]

const words = (text: string): Words => text.split(" ") as unknown as Words

const METRICS = words(
  "up a foo:bar sum by without offset and or unless start end group count_values inf_total min step range fill " +
    "anchored smoothed min_of bool on Nan_x OFFSET Sum _ : first_over_time",
)
const LABELS = words("a job le by on bool sum offset inf without __name__ atan2 start")
const NUMBERS = words(
  "0 1 1 2 0.5 .5 1. 1e3 1E-3 0x1f 017 08 1_000 1_0.5_0 0x_f Inf inf NaN 1e308 1e400 5m 1h30m 9223372036854775807 1e1_0",
)
const DURATIONS = words(
  "5m 1h 1h30m 300 1.5 1ms 0s 0 1m1h 5m5m 300y 292y 1y 1e3 0x10 1.5m 5M 1w2d -5m +5m 1d1d 9e9 1e10",
)
const TIMES = words("0 1 1.5 -5 1e30 NaN Inf start() end() START() 5m 1_000 9.3e18")
const STRINGS: Words = [
  ...words(String.raw`"a" 'a' "" "\n" "\x41" "\101" "\u00e9" "\U0001F600" "\'" '\'' "\d" "\777" "\xff" "é" "#" "a\"b"`),
  "`a\\d`",
  "`a\nb`",
]
const ARITHMETIC = words("+ - * / % ^ atan2")
const COMPARISONS = words("== != < <= > >= </ >/")
const SETS = words("and or unless AND Or")
const VECTOR_FUNCTIONS = words(
  "abs ceil sort absent timestamp scalar histogram_quantile hour mad info sort_by_label foo",
)
const RANGE_FUNCTIONS = words(
  "rate increase delta deriv avg_over_time absent_over_time changes last_over_time quantile_over_time predict_linear " +
    "mad_over_time holt_winters double_exponential_smoothing first_over_time ts_of_max_over_time",
)
const AGGREGATIONS = words("sum SUM min avg count group stddev topk bottomk quantile count_values limitk limit_ratio")
const NOISE: Words = [
  ...words(
    '( ) [ ] { } , : + - ^ @ offset by on or bool 5m 1 a "b" == =~ # { }} rate( sum by(a) group_left ignoring()',
  ),
  ...[
    "\u00a0",
    "\r",
    "\n",
    "#c\n",
    "#c\r",
    "\\",
    "'",
    "`",
    "é",
    "\ufffd",
    ".",
    "_",
    "e",
    "x",
    "0",
    "😀",
    ";",
    "&",
    "~",
  ],
]

/** Mostly one that nothing is wrong with, so that expressions as a whole are valid often enough. */
function often(random: Random, plain: Words, all: Words): string {
  return random.pick(random.chance(0.85) ? plain : all)
}

/** An expression of PromQL that mostly has the right types; often with something that some server refuses. */
export function randomExpression(random: Random, depth = 3): string {
  return random.chance(0.8) ? vector(random, depth) : random.chance(0.7) ? scalar(random, 2) : range(random, depth - 1)
}

/** The same with a few letters or tokens more, less or elsewhere. */
export function mutated(random: Random, text: string): string {
  const tokens = text.match(/[\w:.]+|[^]/gu) ?? []
  for (let times = 1 + random.below(2); times > 0; times--) {
    const at = random.below(tokens.length + 1)
    const kind = random.below(4)
    if (kind === 0) tokens.splice(at, 1)
    else if (kind === 1) tokens.splice(at, 0, random.pick(NOISE))
    else if (kind === 2) tokens.splice(at, 1, random.pick(NOISE))
    else tokens.splice(at, 0, ...tokens.splice(random.below(tokens.length + 1), 1))
  }
  return tokens.join("")
}

function vector(random: Random, depth: number): string {
  const again = (): string => vector(random, depth - 1)
  if (depth === 0) return selector(random)
  switch (random.below(9)) {
    case 0:
    case 1:
      return modified(random, selector(random))
    case 2:
      return `${often(random, words("rate increase avg_over_time last_over_time"), RANGE_FUNCTIONS)}(${range(random, depth - 1)}${more(random, depth)})`
    case 3:
      return `${often(random, words("abs ceil sort timestamp"), VECTOR_FUNCTIONS)}(${again()}${more(random, depth)})`
    case 4:
      return aggregation(random, depth)
    case 5:
      return `${space(random)}(${again()}${space(random)})`
    case 6:
      return `${random.pick(["-", "+"])}${space(random)}${again()}`
    case 7:
      return `${again()} ${operator(random)} ${random.chance(0.85) ? again() : scalar(random, depth - 1)}`
    default:
      return `${scalar(random, 1)} ${operator(random)} ${again()}`
  }
}

function more(random: Random, depth: number): string {
  if (random.chance(0.95)) return ""
  return `, ${random.chance(0.7) ? scalar(random, 0) : random.chance(0.5) ? random.pick(STRINGS) : vector(random, depth - 1)}`
}

function scalar(random: Random, depth: number): string {
  const again = (): string => scalar(random, depth - 1)
  if (depth === 0 || random.chance(0.4)) return often(random, words("0 1 0.5 1e3"), NUMBERS)
  return random.pick([
    () => `-${again()}`,
    () => `(${again()})`,
    () => `${again()} ${random.pick(ARITHMETIC)} ${again()}`,
    () => `${again()} ${often(random, words("== < >="), COMPARISONS)} ${random.chance(0.95) ? "bool " : ""}${again()}`,
    () => `scalar(${vector(random, depth - 1)})`,
    () => random.pick(["time()", "pi()", "step()", "start()", "min_of(1, 2)", "max_of(1,time())"]),
  ])()
}

function range(random: Random, depth: number): string {
  const written = `[${space(random)}${duration(random)}${space(random)}`
  if (depth === 0 || random.chance(0.7)) return modified(random, `${selector(random)}${written}]`)
  return modified(random, `${vector(random, depth - 1)}${written}:${random.chance(0.5) ? duration(random) : ""}]`)
}

function duration(random: Random): string {
  if (random.chance(0.6)) return "5m"
  if (random.chance(0.8)) return often(random, words("1h 1h30m 1ms"), DURATIONS)
  return random.pick(words("5m+1m (5m) 5m/0 step() 2*step() min_of(5m,1h) range() -(5m) 5m^2 max(1m,5m) 5m%7"))
}

function modified(random: Random, text: string): string {
  let result = text
  while (random.chance(0.15)) {
    const modifier = random.chance(0.6)
      ? ` ${random.pick(["offset", "offset", "OFFSET"])} ${random.chance(0.2) ? "-" : ""}${duration(random)}`
      : ` @ ${often(random, words("0 1.5 end() START()"), TIMES)}`
    result += modifier
  }
  return result
}

function aggregation(random: Random, depth: number): string {
  const name = often(random, words("sum SUM max count quantile count_values topk"), AGGREGATIONS)
  const parameter = /k|ti|ra/.test(name) ? `${scalar(random, 1)}, ` : name === "count_values" ? '"a", ' : ""
  const body = `(${random.chance(0.95) ? parameter : ""}${vector(random, depth - 1)})`
  const by = ` ${random.pick(["by", "without", "BY"])}${space(random)}${labels(random)}${space(random)}`
  return random.pick([() => name + body, () => name + by + body, () => name + body + by])()
}

function labels(random: Random): string {
  const list = Array.from({ length: random.below(3) }, () =>
    random.chance(0.9) ? often(random, words("a job le"), LABELS) : random.pick(['"a b"', '""', "a:b", "1a", '"a"']),
  )
  return `(${list.join(`,${space(random)}`)}${random.chance(0.1) ? "," : ""})`
}

function operator(random: Random): string {
  const sign = random.pick([random.pick(ARITHMETIC), often(random, words("== < >="), COMPARISONS), random.pick(SETS)])
  const bool = COMPARISONS.includes(sign) ? random.chance(0.3) : random.chance(0.02)
  const match = random.chance(0.25) ? ` ${random.pick(["on", "ignoring", "ON"])}${labels(random)}` : ""
  const group =
    match !== "" && random.chance(0.3)
      ? ` ${random.pick(["group_left", "group_right"])}${random.chance(0.5) ? labels(random) : ""}`
      : ""
  return `${sign}${bool ? " bool" : ""}${match}${group}`
}

function selector(random: Random): string {
  const name = random.chance(0.85) ? often(random, words("up foo:bar offset"), METRICS) : ""
  if (name !== "" && random.chance(0.5)) return name
  const matchers = Array.from({ length: random.below(3) }, () => matcher(random))
  if (name === "" && random.chance(0.9)) matchers.push('job="b"')
  return `${name}${space(random)}{${matchers.join(`${space(random)},${space(random)}`)}${random.chance(0.05) ? "," : ""}}`
}

function matcher(random: Random): string {
  if (random.chance(0.05)) return random.pick(STRINGS)
  const label = random.chance(0.9)
    ? often(random, words("a job le"), LABELS)
    : random.pick(['"a"', '"b.c"', "'d'", '""', "a:b"])
  if (random.chance(0.5))
    return `${label}${space(random)}${random.pick(["=", "!="])}${often(random, ["'a'", '"b"', "`c`"], STRINGS)}`
  return `${label}${random.pick(["=~", "!~"])}${quoted(regex(random))}`
}

function regex(random: Random): string {
  if (random.chance(0.4))
    return random.pick([".*", ".+", "", "a|b", "|a", "(?:a|)", "a*", "\\pL", "(?i)é", "^$", "\\b"])
  return random.chance(0.85) ? randomRegex(random, 2).text : randomTokens(random)
}

function quoted(text: string): string {
  return JSON.stringify(text)
}

function space(random: Random): string {
  return random.chance(0.9) ? "" : random.pick([" ", "\n", "\t", " # c\n", "#)(\r\n", "  "])
}
