import { ANY, type CodePoints, LINE, NEWLINE, only, WORD } from "./code-points.ts"
import type { Assertion, Regex } from "./tree.ts"
import { Undecidable } from "./undecidable.ts"

export type Instruction =
  | { readonly kind: "consume"; readonly set: CodePoints; readonly next: number }
  | { readonly kind: "assert"; readonly assertion: Assertion; readonly next: number }
  /** `universal`: from here every word is accepted. */
  | { readonly kind: "fork"; readonly next: readonly number[]; readonly universal: boolean }
  | { readonly kind: "accept" }

/** A nondeterministic automaton over code points, as Thompson builds it. */
export interface RegexProgram {
  readonly instructions: readonly Instruction[]
  readonly start: number
}

const MAX_INSTRUCTIONS = 50_000

export interface RegexReading {
  /** Whether a bare dot matches a newline: in Prometheus 3 it does, in Prometheus 2 not. */
  readonly dotAll: boolean
  /** What every version matches at least, or any at most. They differ where letters fold. */
  readonly bound: "at least" | "at most"
}

/** Throws Undecidable where the expression becomes too large. */
export function compileRegex(regex: Regex, { dotAll, bound }: RegexReading): RegexProgram {
  const instructions: Instruction[] = []
  const add = (instruction: Instruction): number => {
    if (instructions.length >= MAX_INSTRUCTIONS) {
      throw new Undecidable(`it is too complex: it needs more than ${MAX_INSTRUCTIONS} states`)
    }
    return instructions.push(instruction) - 1
  }
  const dot = dotAll ? ANY : LINE
  const accept = add({ kind: "accept" })

  /** Adds what matches `node` and goes on at `next`; its first instruction. */
  const build = (node: Regex, next: number): number => {
    if (node.kind === "set") return add({ kind: "consume", set: bound === "at most" ? node.set : node.least, next })
    if (node.kind === "dot") return add({ kind: "consume", set: dot, next })
    if (node.kind === "assert") return add({ kind: "assert", assertion: node.assertion, next })
    if (node.kind === "repeat") return repeat(node.part, node.min, node.max, next)
    if (node.kind === "concat") return node.parts.reduceRight((after, part) => build(part, after), next)
    return add({ kind: "fork", next: node.parts.map((part) => build(part, next)), universal: false })
  }
  const repeat = (part: Regex, min: number, max: number, next: number): number => {
    let entry = next
    if (max === Infinity) {
      const loop = add({ kind: "fork", next: [], universal: false })
      const body = build(part, loop)
      const universal = next === accept && matchesAnyOne(part, dotAll)
      instructions[loop] = { kind: "fork", next: [body, next], universal }
      entry = loop
    } else {
      for (let i = min; i < max; i++) {
        entry = add({ kind: "fork", next: [build(part, entry), next], universal: false })
      }
    }
    for (let i = 0; i < min; i++) entry = build(part, entry)
    return entry
  }
  const start = build(regex, accept)
  return { instructions, start }
}

/** Words of these letters only; the program of a literal. */
export function compileWord(word: string): RegexProgram {
  const parts = Array.from(word).map((letter): Regex => {
    const set = only(letter.codePointAt(0) ?? 0)
    return { kind: "set", set, least: set, folds: false }
  })
  return compileRegex({ kind: "concat", parts }, { dotAll: true, bound: "at least" })
}

function matchesAnyOne(part: Regex, dotAll: boolean): boolean {
  return (part.kind === "dot" && dotAll) || (part.kind === "set" && part.set[0] === 0 && part.set[1] === ANY[1])
}

/**
 * The first code points of the classes that the program cannot distinguish. Surrogates are a class of their own: they
 * are not characters, so that no word holds them.
 */
export function alphabetOf(program: RegexProgram): readonly number[] {
  const starts = new Set([0, 0xd800, 0xe000])
  const cut = (set: CodePoints): void => {
    for (let i = 0; i < set.length; i += 2) starts.add(set[i] ?? 0).add((set[i + 1] ?? 0) + 1)
  }
  const seen = new Set<CodePoints>()
  for (const instruction of program.instructions) {
    if (instruction.kind === "assert") cut([NEWLINE, NEWLINE, ...WORD])
    if (instruction.kind !== "consume" || seen.has(instruction.set)) continue
    seen.add(instruction.set)
    cut(instruction.set)
  }
  starts.delete(0x110000)
  return [...starts].toSorted((a, b) => a - b)
}
