import { isLegacyLabel, type Matcher, type Selector } from "#core/promql/selector.ts"
import type { Random } from "./random.ts"

/** The selector in another spelling; all of these mean the same to Prometheus. */
export function spellSelector(random: Random, selector: Selector): string {
  const gap = (): string => (random.chance(0.7) ? "" : random.pick([" ", "  ", "\n", "\t", ' # up{a="b"}\n']))
  const names = selector.filter(({ label }) => label === "__name__")
  const [name] = names
  const outside =
    names.length === 1 && name?.op === "=" && isLegacyLabel(name.value) && random.chance(0.5) ? name : undefined
  const inside = shuffled(
    random,
    selector.filter((matcher) => matcher !== outside),
  )
  if (outside !== undefined && inside.length === 0) return gap() + outside.value + gap()
  const matchers = inside.map(({ label, op, value }) => gap() + label + gap() + op + gap() + spellString(random, value))
  const comma = inside.length > 0 && random.chance(0.2) ? `${gap()},` : ""
  return `${gap()}${outside?.value ?? ""}${gap()}{${matchers.join(`${gap()},`)}${comma}${gap()}}${gap()}`
}

/** A query of these selectors, in any of the encodings that Prometheus reads. */
export function spellQuery(random: Random, selectors: readonly string[]): string {
  return selectors
    .map((selector) => `${spellName(random)}=${encode(random, selector, /[\w.~{}[\]"'=,|*()^$]/)}`)
    .join("&")
}

function spellName(random: Random): string {
  return random.chance(0.4) ? "match[]" : encode(random, "match[]", /[\w[\]]/)
}

/** `plain`: what may stand for itself. */
function encode(random: Random, text: string, plain: RegExp): string {
  return Array.from(text, (character) => {
    if (plain.test(character) && random.chance(0.8)) return character
    if (character === " " && random.chance(0.5)) return "+"
    const bytes = [...Buffer.from(character)].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("")
    return random.chance(0.5) ? bytes.toUpperCase() : bytes
  }).join("")
}

function spellString(random: Random, value: string): string {
  if (random.chance(0.2) && !/[`\r]/.test(value)) return `\`${value}\``
  const quote = random.pick(['"', "'"])
  const letters = Array.from(value, (letter) => {
    const point = letter.codePointAt(0) ?? 0
    if (letter === quote || letter === "\\") return `\\${letter}`
    if (letter === "\n") return "\\n"
    if (point < 0x20 || random.chance(0.1)) {
      return point > 0xffff ? `\\U${hex(point, 8)}` : point < 0x80 ? `\\x${hex(point, 2)}` : `\\u${hex(point, 4)}`
    }
    return letter
  })
  return quote + letters.join("") + quote
}

function hex(point: number, digits: number): string {
  return point.toString(16).padStart(digits, "0")
}

function shuffled(random: Random, matchers: readonly Matcher[]): readonly Matcher[] {
  return matchers
    .map((matcher) => ({ matcher, at: random.below(1e6) }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ matcher }) => matcher)
}
