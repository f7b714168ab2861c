/** A set of code points: inclusive ranges as [low, high, low, high, …], ascending, neither touching nor overlapping. */
export type CodePoints = readonly number[]

export const MAX_CODE_POINT = 0x10ffff
export const ANY: CodePoints = [0, MAX_CODE_POINT]
export const NEWLINE = 0x0a
/** All but the newline. */
export const LINE: CodePoints = [0, NEWLINE - 1, NEWLINE + 1, MAX_CODE_POINT]
export const WORD: CodePoints = [0x30, 0x39, 0x41, 0x5a, 0x5f, 0x5f, 0x61, 0x7a]

/** The set of any ranges, in whatever order. */
export function union(...sets: readonly CodePoints[]): CodePoints {
  const ranges = sets
    .flatMap((set) => Array.from({ length: set.length / 2 }, (_, i) => [set[2 * i] ?? 0, set[2 * i + 1] ?? 0] as const))
    .toSorted((a, b) => a[0] - b[0])
  const merged: number[] = []
  for (const [low, high] of ranges) {
    const last = merged.at(-1)
    if (last !== undefined && low <= last + 1) merged[merged.length - 1] = Math.max(last, high)
    else merged.push(low, high)
  }
  return merged
}

export function negate(set: CodePoints): CodePoints {
  const gaps: number[] = []
  let from = 0
  for (let i = 0; i < set.length; i += 2) {
    const low = set[i] ?? 0
    if (low > from) gaps.push(from, low - 1)
    from = (set[i + 1] ?? 0) + 1
  }
  if (from <= MAX_CODE_POINT) gaps.push(from, MAX_CODE_POINT)
  return gaps
}

export function includes(set: CodePoints, codePoint: number): boolean {
  let low = 0
  let high = set.length / 2
  while (low < high) {
    const middle = (low + high) >> 1
    if (codePoint > (set[2 * middle + 1] ?? 0)) low = middle + 1
    else high = middle
  }
  return 2 * low < set.length && codePoint >= (set[2 * low] ?? 0)
}

/** What else folds onto a letter of ASCII: the Kelvin sign and the long s. */
const BEYOND_ASCII: ReadonlyMap<string, number> = new Map([
  ["k", 0x212a],
  ["s", 0x17f],
])

export interface Folded {
  /** With every code point that Unicode's simple folding makes equal to one of the set, as RE2 matches. */
  readonly set: CodePoints
  /** With the other case of ASCII letters only. */
  readonly least: CodePoints
}

/** Undefined where the set has some but not all letters beyond ASCII. */
export function fold(set: CodePoints): Folded | undefined {
  const letters: number[] = []
  const beyond: number[] = []
  for (let i = 0; i < set.length; i += 2) {
    const low = set[i] ?? 0
    const high = set[i + 1] ?? 0
    if (low <= 0x41 && high >= 0x1ffff) continue // has every letter
    if (high > 0x7f) return undefined
    for (let codePoint = low; codePoint <= high; codePoint++) {
      const lower = String.fromCodePoint(codePoint).toLowerCase()
      letters.push(lower.charCodeAt(0), lower.toUpperCase().charCodeAt(0))
      const other = BEYOND_ASCII.get(lower)
      if (other !== undefined) beyond.push(other)
    }
  }
  const least = union(set, ...letters.map(only))
  return { set: union(least, ...beyond.map(only)), least }
}

export function only(codePoint: number): CodePoints {
  return [codePoint, codePoint]
}

/** Whether the set is one letter in both cases, and no third code point folds onto it. */
export function isCasePair(set: CodePoints): boolean {
  if (set.length !== 4 || set[0] !== set[1] || set[2] !== set[3]) return false
  const [first = "", second = ""] = [set[0] ?? 0, set[2] ?? 0].map((codePoint) => String.fromCodePoint(codePoint))
  const lower = first.toLowerCase()
  return (lower === second.toLowerCase() || first.toUpperCase() === second.toUpperCase()) && !BEYOND_ASCII.has(lower)
}
