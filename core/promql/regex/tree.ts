import { type CodePoints, type Folded, isCasePair, negate, union } from "./code-points.ts"
import { Undecidable } from "./undecidable.ts"

export type Assertion = "text start" | "text end" | "line start" | "line end" | "word boundary" | "no word boundary"

export type Regex =
  | SetOf
  /** A dot outside of (?s) and (?-s): Prometheus 3 lets it match a newline, Prometheus 2 does not. */
  | { readonly kind: "dot" }
  | { readonly kind: "assert"; readonly assertion: Assertion }
  | { readonly kind: "concat"; readonly parts: readonly Regex[] }
  | { readonly kind: "alternate"; readonly parts: readonly Regex[] }
  | { readonly kind: "repeat"; readonly part: Regex; readonly min: number; readonly max: number }

export interface SetOf extends Folded {
  readonly kind: "set"
  /**
   * Letters in both cases. Prometheus from 2.51 on matches some of them without Go's regexp, and then sometimes not the
   * letters beyond ASCII that RE2 folds onto them, and sometimes what only looks like them (Unicode's NFKD).
   */
  readonly folds: boolean
}

/** Nothing folds. */
export function exactly(set: CodePoints): Folded {
  return { set, least: set }
}

export function unionOf(sets: readonly Folded[]): Folded {
  return { set: union(...sets.map(({ set }) => set)), least: union(...sets.map(({ least }) => least)) }
}

/** What is left out by a negation is left out with all that folds onto it. */
export function signed(folded: Folded, negated: boolean): Folded {
  return negated ? exactly(negate(folded.set)) : folded
}

export function setOf(folded: Folded, inFold: boolean): SetOf {
  if (isCasePair(folded.set) && (folded.set[3] ?? 0) > 0x7f) {
    throw new Undecidable(
      "a class of both cases of a letter beyond ASCII is not supported: versions of Prometheus differ",
    )
  }
  const folds = isCasePair(folded.set) || (inFold && (folded.set.at(-1) ?? 0) >= 0x41)
  return { kind: "set", ...folded, folds }
}

export function merged(sets: readonly SetOf[]): SetOf {
  return setOf(
    unionOf(sets),
    sets.some(({ folds }) => folds),
  )
}

/** RE2 multiplies nested counts. */
export function repeatsAtMost(regex: Regex, limit: number): boolean {
  if ("parts" in regex) return regex.parts.every((part) => repeatsAtMost(part, limit))
  if (regex.kind !== "repeat") return true
  const count = regex.max === Infinity ? regex.min : regex.max
  return count <= limit && repeatsAtMost(regex.part, count > 1 ? Math.floor(limit / count) : limit)
}

/**
 * Whether Prometheus may expand it to many words in either case, and then compare them in Unicode's NFKD: it matches more
 * than RE2 does.
 */
export function maySpreadFolding(regex: Regex): boolean {
  return has(regex, (part) => part.kind === "set" && part.folds) && has(regex, isBranching)
}

function isBranching(regex: Regex): boolean {
  if (regex.kind === "repeat") return regex.max !== Infinity
  if (regex.kind !== "set") return regex.kind === "alternate"
  const members = regex.least.reduce((sum, point, i) => sum + (i % 2 === 1 ? point + 1 : -point), 0)
  return members > (regex.folds ? 2 : 1)
}

/** Whether the meaning depends on what a bare dot matches, and so on the version of Prometheus. */
export function hasBareDot(regex: Regex): boolean {
  return has(regex, ({ kind }) => kind === "dot")
}

function has(regex: Regex, wanted: (regex: Regex) => boolean): boolean {
  if (wanted(regex)) return true
  if (regex.kind === "repeat") return has(regex.part, wanted)
  return "parts" in regex && regex.parts.some((part) => has(part, wanted))
}
