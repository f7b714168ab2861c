import type { Random } from "./random.ts"

/** A regular expression that knows some of its words and how to become narrower. */
export interface Shape {
  readonly text: string
  /** A word that every version of Prometheus matches. */
  sample(): string
  /** An expression whose words are some of this one's. */
  narrower(): Shape
}

/** What expressions and words are made of: few, so that they meet; some that fold, some beyond 16 bits. */
export const LETTERS = ["a", "b", "a", "b", "_", "k", "K", "\u212a", "S", "\u017f", "1", "-", "\n", "é", "😀"] as const

const LEAVES: readonly (readonly [text: string, words: readonly [string, ...string[]]])[] = [
  [".", ["a", "b", "_", "k", "é", "😀"]],
  [".", ["a", "b", "1", "-"]],
  ["(?s:.)", ["a", "b", "\n"]],
  ["(?-s:.)", ["a", "b", "-"]],
  ["[ab]", ["a", "b"]],
  ["[^a]", ["b", "_", "\n", "K", "é"]],
  ["[a-k]", ["a", "b", "k"]],
  ["\\w", ["a", "b", "_", "1"]],
  ["\\d", ["1"]],
  ["\\D", ["a", "-", "\n"]],
  ["\\s", ["\n"]],
  ["[[:alpha:]_]", ["a", "b", "_"]],
  ["[^[:^alpha:]]", ["a", "b"]],
  ["\\x{1F600}", ["😀"]],
  ["\\x61", ["a"]],
  ["\\141", ["a"]],
  ["[\\x{100}-\\x{10FFFF}]", ["😀", "\u212a"]],
  ["\\Qa-\\E", ["a-"]],
]

const FOLDING: typeof LEAVES = [
  ["(?i:k)", ["k", "K"]],
  ["(?i:ab)", ["ab", "aB", "AB"]],
  ["(?i:[^s])", ["a", "k", "\n"]],
  ["(?i)[a-s]", ["a", "K", "S"]],
  ["(?i:\\W)", ["-", "\n", "é"]],
  ["[aA]", ["a", "A"]],
]

export function literal(word: string): Shape {
  const shape: Shape = {
    text: word.replaceAll(/[\\.+*?()|[\]{}^$]/g, "\\$&"),
    sample: () => word,
    narrower: () => shape,
  }
  return shape
}

export function randomRegex(random: Random, depth = 3): Shape {
  const part = (): Shape => randomRegex(random, depth - 1)
  if (depth === 0 || random.chance(0.15)) return leaf(random)
  switch (random.below(6)) {
    case 0:
      return alternate(random, [part(), part(), ...(random.chance(0.3) ? [part()] : [])])
    case 1:
      return repeat(
        random,
        part(),
        random.pick([
          [0, Infinity],
          [1, Infinity],
          [0, 1],
          [2, 3],
          [0, 2],
          [2, Infinity],
        ]),
      )
    case 2:
      return concat([repeat(random, leaf(random), [0, Infinity]), part()])
    default:
      return concat([part(), part(), ...(random.chance(0.3) ? [part()] : [])])
  }
}

function leaf(random: Random): Shape {
  if (random.chance(0.5)) return literal(random.pick(LETTERS))
  const [text, words] = random.pick((random.chance(0.05) ? FOLDING : LEAVES) as [(typeof LEAVES)[number]])
  return {
    text: text.startsWith("(?i)") ? `(?:${text})` : text,
    sample: () => random.pick(words),
    narrower: () => literal(random.pick(words)),
  }
}

function concat(parts: readonly Shape[]): Shape {
  return {
    text: parts.map(({ text }) => text).join(""),
    sample: () => parts.map((part) => part.sample()).join(""),
    narrower: () => concat(parts.map((part) => part.narrower())),
  }
}

function alternate(random: Random, parts: readonly [Shape, ...Shape[]]): Shape {
  return {
    text: `(?:${parts.map(({ text }) => text).join("|")})`,
    sample: () => random.pick(parts).sample(),
    narrower: () => {
      const [kept, ...more] = parts.toSorted(() => random.below(3) - 1).map((part) => part.narrower())
      if (kept === undefined || more.length === 0 || random.chance(0.5)) return kept ?? literal("")
      return alternate(random, [kept, ...more.slice(1)])
    },
  }
}

function repeat(random: Random, part: Shape, [min, max]: readonly [number, number]): Shape {
  const most = max === Infinity ? min + 2 : max
  const times = (): number => min + random.below(most - min + 1)
  const mark =
    min === 0 && max === 1 ? "?" : max < Infinity ? `{${min},${max}}` : min > 1 ? `{${min},}` : min ? "+" : "*"
  return {
    text: `(?:${part.text})${mark}`,
    sample: () => Array.from({ length: times() }, () => part.sample()).join(""),
    narrower: () => {
      if (random.chance(0.5)) return repeat(random, part.narrower(), [min, max])
      return concat(Array.from({ length: times() }, () => part))
    },
  }
}

const TOKENS = [
  ..."a b . * + ? | ( ) [ ] { } ^ $ - , : \\ 1 2 é".split(" "),
  ..."(?: (?i) (?s) (?-s: (?m) (?U) (?i: (?P<n> (?<m> (?im-s: (?- (?) {2} {1,} {0,3} {,2} {01} {3,1} {1001} {40}".split(
    " ",
  ),
  ..."\\A \\z \\b \\B \\C \\Z \\d \\S \\w \\pL \\Q \\E \\x61 \\x{62} \\x{} \\x{110000} \\0 \\12 \\8 \\n \\_ \\é \\-".split(
    " ",
  ),
  ..."[[:alpha:] [^[:^space:] [:digit:] [a-z] [b-a] [^a [] []a] [\\d-z] [a-\\d] *? +? ?? {2}? ** [a-] .* \n K".split(
    " ",
  ),
] as const

/** Letters of the syntax in any order; often not valid. */
export function randomTokens(random: Random): string {
  return Array.from({ length: 1 + random.below(7) }, () => random.pick(TOKENS as unknown as [string])).join("")
}

/** The word with a letter more, less or another. */
export function nearMiss(random: Random, word: string): string {
  const letters = Array.from(word)
  const at = random.below(letters.length + 1)
  const more = random.chance(0.6) ? [random.pick(LETTERS)] : []
  return letters.toSpliced(at, random.below(2), ...more).join("")
}
