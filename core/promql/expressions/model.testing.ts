import type { Random } from "../../../dev/fuzz/random.ts"

/** An expression as a value; lists are sorted, so that equal values mean the same and others do not. */
export type Model =
  | { readonly kind: "number"; readonly value: number }
  | {
      readonly kind: "selector"
      readonly name: string
      readonly matchers: readonly string[]
      readonly range: number
      readonly offset: number
      readonly at: string
    }
  | { readonly kind: "call"; readonly name: string; readonly operands: readonly Model[] }
  | {
      readonly kind: "aggregation"
      readonly operator: string
      readonly grouping: string
      readonly labels: readonly string[]
      readonly operands: readonly Model[]
    }
  | {
      readonly kind: "binary"
      readonly operator: string
      readonly matching: string
      readonly labels: readonly string[]
      readonly group: string
      readonly include: readonly string[]
      readonly operands: readonly Model[]
    }
  | { readonly kind: "unary"; readonly operands: readonly Model[] }
  | {
      readonly kind: "subquery"
      readonly range: number
      readonly step: number
      readonly offset: number
      readonly operands: readonly Model[]
    }

/** Of few names and numbers, so that two are often nearly the same. */
export function anyVector(random: Random, depth: number): Model {
  const inner = (): Model => anyVector(random, depth - 1)
  const some = (...from: readonly [string, ...string[]]): readonly string[] => from.filter(() => random.chance(0.4))
  if (depth <= 0) return selector(random, 0)
  switch (random.below(8)) {
    case 0:
      return selector(random, 0)
    case 1:
      return { kind: "call", name: random.pick(["abs", "ceil"]), operands: [inner()] }
    case 2:
      return {
        kind: "call",
        name: random.pick(["rate", "xrate"]),
        operands: [selector(random, random.pick([60_000, 90_000]))],
      }
    case 3: {
      const step = random.pick([0, 1000, 60_000])
      const subquery = {
        kind: "subquery",
        range: random.pick([300_000, 3_600_000]),
        step,
        offset: anyOffset(random),
        operands: [inner()],
      } as const
      return { kind: "call", name: "max_over_time", operands: [subquery] }
    }
    case 4: {
      const grouping = random.pick(["", "by", "without"])
      const [operator, operands] = random.chance(0.5) ? ["sum", [inner()]] : ["topk", [anyScalar(random), inner()]]
      const labels = grouping === "" ? [] : some("on", "x", "y")
      return {
        kind: "aggregation",
        operator,
        grouping: grouping === "by" && labels.length === 0 ? "" : grouping,
        labels,
        operands,
      }
    }
    case 5:
      return { kind: "unary", operands: [inner()] }
    default:
      return anyBinary(random, inner, some)
  }
}

function anyBinary(
  random: Random,
  inner: () => Model,
  some: (...from: readonly [string, ...string[]]) => readonly string[],
): Model {
  const operator = random.pick(["or", "and", "unless", "==", ">", "> bool", "+", "-", "*", "/", "^", "^"])
  const isSet = /^(?:or|and|unless)$/.test(operator)
  const scalar = isSet ? 2 : random.below(5)
  const operands = [0, 1].map((side) => (scalar === side ? anyScalar(random) : inner()))
  const matching = scalar < 2 ? "" : random.pick(["", "on", "ignoring"])
  const labels = matching === "" ? [] : some("x", "y")
  const group = matching === "" || isSet ? "" : random.pick(["", "group_left", "group_right"])
  const include = group === "" ? [] : some("v", "w")
  const isNone = matching === "ignoring" && labels.length === 0 && group === ""
  return { kind: "binary", operator, matching: isNone ? "" : matching, labels, group, include, operands }
}

const anyOffset = (random: Random): number => random.pick([0, 0, 60_000, -60_000])

const anyScalar = (random: Random): Model =>
  random.chance(0.8)
    ? { kind: "number", value: random.pick([0, 1, -1, 2, 1000, 0.5, Infinity]) }
    : { kind: "call", name: "time", operands: [] }

function selector(random: Random, range: number): Model {
  const matchers = ['x="a"', 'x="b"', 'y=~"a|b"', 'y!="it\'s"'].filter(() => random.chance(0.2))
  const at = random.pick(["", "", "1000", "start()"])
  return { kind: "selector", name: random.pick(["a", "b", "sum"]), matchers, range, offset: anyOffset(random), at }
}

/** The same value with one part of it drawn anew; that may happen to be the same. */
export function changed(model: Model, random: Random): Model {
  if (!("operands" in model) || model.operands.length === 0 || random.chance(0.3)) return redrawn(model, random)
  const at = random.below(model.operands.length)
  if (random.chance(0.1)) return { ...model, operands: model.operands.toReversed() }
  return {
    ...model,
    operands: model.operands.map((operand, index) => (index === at ? changed(operand, random) : operand)),
  }
}

function redrawn(model: Model, random: Random): Model {
  if (model.kind === "number") return { kind: "number", value: random.pick([0, 1, -1, 2, 1000, 0.5, Infinity]) }
  if (model.kind === "selector") return selector(random, model.range)
  if (model.kind === "subquery") return { ...model, offset: anyOffset(random) }
  return model.kind === "call" && /^(?:rate|xrate|max_over_time|time)$/.test(model.name) ? model : anyVector(random, 1)
}
