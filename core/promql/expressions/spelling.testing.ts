import type { Random } from "../../../dev/fuzz/random.ts"
import type { Model } from "./model.testing.ts"

const LEVELS = ["or", "and unless", "== > > bool", "+ -", "* /", "^"]
const levelOf = (operator: string): number => LEVELS.findIndex((level) => ` ${level} `.includes(` ${operator} `))
const UNARY = 4

/** One of its many spellings. */
export function spell(model: Model, random: Random): string {
  const space = (): string => random.pick(["", "", "", "", " ", "  ", "\n", "\t", " # why, and (how\n", "\r\n"])
  const gap = (): string => random.pick([" ", "  ", "\n ", " #\n"])
  const shuffled = (items: readonly string[]): string =>
    `(${items
      .toSorted(() => random.below(3) - 1)
      .map((item) => space() + label(item, random) + space())
      .join(",")})`
  const list = (operands: readonly Model[]): string =>
    `(${operands.map((operand) => space() + spell(operand, random) + space()).join(",")})`
  switch (model.kind) {
    case "number":
      return spellNumber(model.value, random)
    case "selector": {
      // no comment there: Prometheus takes none behind a bracket
      const range =
        model.range === 0 ? "" : `[${random.pick(["", " "])}${duration(model.range, random)}${random.pick(["", " "])}]`
      return (
        spellSelector(model.name, model.matchers, random, space) +
        space() +
        range +
        modifiers(model.offset, model.at, random, gap)
      )
    }
    case "call":
      return model.name + space() + list(model.operands)
    case "aggregation": {
      const name = random.chance(0.2) ? model.operator.toUpperCase() : model.operator
      if (model.grouping === "")
        return `${name}${random.chance(0.2) ? `${gap()}by()` : ""}${space()}${list(model.operands)}`
      const labels = `${model.grouping}${space()}${shuffled(model.labels)}`
      return random.chance(0.5)
        ? `${name}${gap()}${labels}${space()}${list(model.operands)}`
        : `${name}${list(model.operands)}${space()}${labels}`
    }
    case "binary": {
      const labels = model.matching === "" ? "" : `${gap()}${model.matching}${space()}${shuffled(model.labels)}`
      const include = model.group === "" ? "" : `${gap()}${model.group}${space()}${shuffled(model.include)}`
      const [left = "", right = ""] = model.operands.map((operand, side) =>
        spellOperand(operand, levelOf(model.operator), side, random),
      )
      return `${left}${gap()}${model.operator.replace(" ", gap())}${labels}${include}${gap()}${right}`
    }
    case "unary":
      return `-${space()}${model.operands.map((operand) => spellOperand(operand, UNARY, 1, random)).join("")}`
    case "subquery":
  }
  const [of] = model.operands
  const step = model.step === 0 ? "" : duration(model.step, random)
  const inner = of === undefined ? "" : of.kind === "selector" ? spell(of, random) : `(${spell(of, random)})`
  const range = `[${duration(model.range, random)}${space()}:${space()}${step}]`
  return `${inner}${range}${modifiers(model.offset, "", random, gap)}`
}

/** In parentheses where it must be, and sometimes where it need not. */
function spellOperand(operand: Model, level: number, side: number, random: Random): string {
  const isSigned = operand.kind === "unary" || (operand.kind === "number" && operand.value < 0)
  const own = operand.kind === "binary" ? levelOf(operand.operator) : isSigned ? UNARY : 9
  const first = own === 5 ? 1 : 0
  const tight = own > level || (own === level && side === first) || (isSigned && side === 1)
  const text = spell(operand, random)
  return tight && random.chance(0.7) ? text : `( ${text} )`
}

function spellNumber(value: number, random: Random): string {
  const spellings: Readonly<Record<number, readonly [string, ...string[]]>> = {
    0: ["0", "0.0", "0x0", ".0"],
    1: ["1", "1.0", "0x1", "1s", "1000ms"],
    2: ["2", "2e0", "2."],
    1000: ["1000", "1e3", "1_000", "0x3e8", "16m40s"],
    0.5: ["0.5", ".5", "5e-1", "500ms"],
  }
  if (value < 0) return `-${random.pick(["", " "])}${spellNumber(-value, random)}`
  return value === Infinity ? random.pick(["Inf", "inf", "INF"]) : random.pick(spellings[value] ?? ["NaN"])
}

function duration(milliseconds: number, random: Random): string {
  const seconds = String(milliseconds / 1000)
  const spellings: Readonly<Record<number, readonly [string, ...string[]]>> = {
    60_000: ["1m", "60s", "60000ms"],
    90_000: ["1m30s", "90s"],
    300_000: ["5m", "4m60s"],
    3_600_000: ["1h", "60m"],
  }
  return random.pick([seconds, ...(spellings[milliseconds] ?? [seconds])])
}

function modifiers(offset: number, at: string, random: Random, gap: () => string): string {
  const sign = offset < 0 ? "-" : ""
  const parts = [
    ...(offset === 0 ? [] : [`${gap()}offset ${sign}${duration(Math.abs(offset), random)}`]),
    ...(at === "" ? [] : [`${gap()}@${gap()}${at === "1000" ? random.pick(["1000", "1e3"]) : at}`]),
  ]
  return (random.chance(0.5) ? parts : parts.toReversed()).join("")
}

function spellSelector(name: string, matchers: readonly string[], random: Random, space: () => string): string {
  const written = matchers.map((matcher) => {
    const [, left = "", operator = "", value = ""] = /^(\w+)(\W+)"(.*)"$/.exec(matcher) ?? []
    const quoted = random.pick([
      `"${value}"`,
      `'${value.replace("'", "\\'")}'`,
      `\`${value}\``,
      `"${value.replace("a", "\\x61")}"`,
    ])
    return `${space()}${label(left, random)}${space()}${operator}${space()}${quoted}${space()}`
  })
  const inside = random.pick([undefined, `"${name}"`, `__name__="${name}"`])
  const all = [...written, ...(inside === undefined ? [] : [inside])].toSorted(() => random.below(3) - 1)
  const braces =
    all.length === 0 && random.chance(0.7) ? "" : `{${all.join(",")}${all.length > 0 && random.chance(0.2) ? "," : ""}}`
  return (inside === undefined ? name : "") + braces
}

const label = (name: string, random: Random): string => (random.chance(0.3) ? `"${name}"` : name)
