/** A set of code points: inclusive ranges as [low, high, low, high, …], ascending, neither touching nor overlapping. */
export type CodePoints = readonly number[]

export const MAX_CODE_POINT = 0x10ffff
export const ANY: CodePoints = [0, MAX_CODE_POINT]
export const NEWLINE = 0x0a
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

/** The last code point whose case folding is known here: up to it every Unicode version since 5.1 folds alike. */
const LAST_FOLDABLE = 0x17f
/** Orbits that upper and lower case of one code point do not give: Kelvin, long s, Ångström, micro, sharp s. */
const ORBITS: readonly CodePoints[] = ["Kk\u212a", "Ss\u017f", "Åå\u212b", "\u00b5\u039c\u03bc", "\u00df\u1e9e"].map(
  (letters) => Array.from(letters).map((letter) => letter.codePointAt(0) ?? 0),
)
/** İ and ı fold to nothing else in RE2, though they have a lower and an upper case. */
const UNFOLDED: readonly number[] = [0x130, 0x131]

/** The set with every code point that Unicode's simple folding makes equal to one of it; undefined beyond Latin letters. */
export function fold(set: CodePoints): CodePoints | undefined {
  const equals: number[] = []
  for (let i = 0; i < set.length; i += 2) {
    const low = set[i] ?? 0
    const high = set[i + 1] ?? 0
    if (low <= 0x41 && high >= 0x1ffff) continue // has every letter
    if (high > LAST_FOLDABLE) return undefined
    for (let codePoint = low; codePoint <= high; codePoint++) equals.push(...orbit(codePoint))
  }
  return union(set, ...equals.map((codePoint) => [codePoint, codePoint]))
}

function orbit(codePoint: number): readonly number[] {
  const special = ORBITS.find((letters) => letters.includes(codePoint))
  if (special !== undefined) return special
  if (UNFOLDED.includes(codePoint)) return []
  const letter = String.fromCodePoint(codePoint)
  return [letter.toLowerCase(), letter.toUpperCase()]
    .filter((other) => other.length === 1)
    .map((other) => other.charCodeAt(0))
}
