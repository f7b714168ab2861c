import type { Random } from "../../../../dev/fuzz/random.ts"

type Choices = readonly [string, ...string[]]

const NAMES: Choices = ["$labels", "$value", "$externalLabels", "$externalURL", "$", "$a", "$b", "$labels.job", "$x.y"]
const FUNCTIONS: Choices = ["humanize", "printf", "query", "first", "label", "and", "index", "len", "humanise", "nil"]
const STRINGS: Choices = [
  '"a"',
  "`a`",
  '"\\n\\x41\\u00e9"',
  '"%.2f"',
  "'c'",
  "'\\n'",
  '"\\d"',
  "'ab'",
  '"\\ud800"',
  '"\\\'"',
  '"a',
]
const NUMBERS: Choices = [
  ...(["1", "0.5", ".5", "1e3", "0x1F", "-3", "+2", "1_000", "089", "0b101", "0o17", "0x1p4", "1i", "1+2i"] as const),
  ...([
    "1e400",
    "18446744073709551616",
    "0x",
    "1.e",
    "3a",
    "1__0",
    "0x_1",
    "-9223372036854775809",
    "1e5+0x1p2i",
  ] as const),
]
const SPACES: Choices = [" ", " ", " ", "", "  ", "\n", "\t"]

/** Mostly templates, often with one thing wrong. */
export function randomTemplate(random: Random): string {
  const text = list(random, 3)
  if (random.chance(0.6)) return text
  const at = random.below(text.length + 1)
  const piece = random.pick([
    "{{",
    "}}",
    "(",
    ")",
    "|",
    " ",
    "{{ end }}",
    "{{ else }}",
    '"',
    ".",
    ",",
    ":=",
    "=",
    "-",
    "$",
    "/*",
    "{{ break }}",
  ])
  return random.chance(0.5)
    ? text.slice(0, at) + piece + text.slice(at)
    : text.slice(0, at) + text.slice(at + 1 + random.below(3))
}

function list(random: Random, depth: number): string {
  return Array.from({ length: random.below(4) }, () => item(random, depth)).join("")
}

function item(random: Random, depth: number): string {
  const inner = () => (depth === 0 ? "" : list(random, depth - 1))
  const pipe = () => pipeline(random, 2)
  const kind = random.below(depth === 0 ? 4 : 14)
  if (kind < 1) return random.pick(["text", " ", "{ }", "}}", "\n"])
  if (kind < 4) return action(random, pipe())
  if (kind === 4) return `{{/* ${random.pick(["c", "", "*", "}}"])} */}}`
  if (kind === 5) return `{{- /* c */ -}}`
  if (kind === 6) return `${action(random, `if ${pipe()}`)}${inner()}${action(random, "end")}`
  if (kind === 7)
    return `${action(random, `if ${pipe()}`)}${inner()}${action(random, `else ${random.pick(["if", "with", "if"])} ${pipe()}`)}${inner()}${action(random, "else")}${inner()}${action(random, "end")}`
  if (kind === 8)
    return `${action(random, `with ${pipe()}`)}${inner()}${random.pick(["", "{{else}}", "{{else with .}}"])}${inner()}${action(random, "end")}`
  if (kind === 9)
    return `${action(random, `range ${random.pick(["", "", "$i := ", "$i, $b := ", "$i, ", "$i, $b, $a := "])}${pipe()}`)}${inner()}${random.pick(["", "{{break}}", "{{continue}}", "{{else}}{{break}}", "{{else}}"])}${action(random, "end")}`
  if (kind === 10)
    return `${action(random, `define ${random.pick(['"a"', '"b"', "`a`", "a"])}`)}${inner()}${action(random, "end")}`
  if (kind === 11) return action(random, `template ${random.pick(['"a"', '"b"', "x"])} ${random.pick(["", pipe()])}`)
  if (kind === 12)
    return `${action(random, `block ${random.pick(['"a"', '"b"'])} ${pipe()}`)}${inner()}${action(random, "end")}`
  return action(random, random.pick(["break", "continue", "end", "else", "", "define"]))
}

function action(random: Random, inside: string): string {
  const space = () => random.pick(SPACES)
  return `${random.pick(["{{", "{{", "{{- ", "{{-"])}${space()}${inside}${space()}${random.pick(["}}", "}}", " -}}", "-}}"])}`
}

function pipeline(random: Random, depth: number): string {
  const declares = random.pick(["", "", "", "", "$a := ", "$b = ", "$a:=", "$a, $b := "])
  const commands = Array.from({ length: 1 + random.below(3) }, () => command(random, depth))
  return declares + commands.join(random.pick([" | ", "|", " |"]))
}

function command(random: Random, depth: number): string {
  return Array.from({ length: 1 + random.below(3) }, () => operand(random, depth)).join(
    random.pick([" ", " ", " ", "  ", ""]),
  )
}

function operand(random: Random, depth: number): string {
  const kind = random.below(12)
  if (kind < 3) return random.pick(NAMES)
  if (kind < 6) return random.pick(FUNCTIONS)
  if (kind < 7) return random.pick(STRINGS)
  if (kind < 8) return random.pick(NUMBERS)
  if (kind < 10) return random.pick([".", ".Labels.job", ".Value", ".a.b", "..", "true", "false", "nil", ".5"])
  return depth === 0 ? "." : `(${pipeline(random, depth - 1)})${random.pick(["", "", ".a", ".a.b"])}`
}
