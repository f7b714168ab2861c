import type { Matcher, MatchOp, Selector } from "#core/promql/selector.ts"
import type { Random } from "./random.ts"
import { literal, nearMiss, randomRegex, type Shape } from "./random-regex.ts"

export const LABELS = ["__name__", "job", "x"] as const

interface Part {
  readonly label: (typeof LABELS)[number]
  readonly op: MatchOp
  readonly shape: Shape
}

/** A selector with words that lie at the borders of what it selects. */
export interface RandomSelector {
  readonly selector: Selector
  words(): readonly string[]
  /** One that selects a subset of this one's series. */
  narrower(): RandomSelector
}

export function randomSelector(random: Random): RandomSelector {
  return fromParts(
    random,
    Array.from({ length: 1 + random.below(3) }, () => randomPart(random)),
  )
}

function randomPart(random: Random): Part {
  const op = random.pick<MatchOp>(["=", "!=", "=~", "=~", "=~", "=~", "!~"])
  const shape = randomRegex(random, 2 + random.below(2))
  return { label: random.pick(LABELS), op, shape: op.length === 1 || op === "!=" ? literal(shape.sample()) : shape }
}

function fromParts(random: Random, parts: readonly Part[]): RandomSelector {
  return {
    selector: parts.map(matcherOf),
    words: () => {
      const words = parts.flatMap(({ shape }) => [shape.sample(), shape.sample()])
      return [...words, ...words.map((word) => nearMiss(random, word))]
    },
    narrower: () => {
      const narrowed = parts.map((part): Part => {
        if (part.op !== "=~") return part
        const shape = random.chance(0.7) ? part.shape.narrower() : literal(part.shape.sample())
        return { ...part, shape }
      })
      return fromParts(random, random.chance(0.3) ? [...narrowed, randomPart(random)] : narrowed)
    },
  }
}

/** A word is itself under = and !=; only regular expressions are quoted. */
function matcherOf({ label, op, shape }: Part): Matcher {
  return { label, op, value: op === "=" || op === "!=" ? shape.sample() : shape.text }
}
