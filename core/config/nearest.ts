/** The name that may be meant by a misspelt one; undefined where none is near enough. `most` changed characters at most. */
export function nearest(typed: string, names: readonly string[], most: number): string | undefined {
  const [first] = names
    // a long name is compared with none: that would take its length times theirs
    .filter((name) => Math.abs(name.length - typed.length) <= most)
    .map((name) => ({ name, edits: editsBetween(typed, name) }))
    .filter(({ edits }) => edits <= most)
    .toSorted((a, b) => a.edits - b.edits)
  return first?.name
}

/**
 * The names that may be meant by a misspelt or incomplete one, at most three: `listen-address` is a part of
 * `web.listen-address`. With half of it changed, a name is another one.
 */
export function meant(typed: string, names: readonly string[]): readonly string[] {
  const words = wordsOf(typed)
  const near = nearest(typed, names, words.join("").length / 2)
  if (near !== undefined && editsBetween(typed, near) <= 2) return [near]
  const containing = names.filter((name) => words.length > 0 && isSubset(words, wordsOf(name)))
  if (containing.length > 0) return containing.slice(0, 3)
  return near === undefined ? [] : [near]
}

/** For the end of a message: ` (Did you mean a or b?)`. */
export function didYouMean(names: readonly string[]): string {
  return names.length === 0 ? "" : ` (Did you mean ${names.join(" or ")}?)`
}

const wordsOf = (name: string): readonly string[] => name.split(/[^a-z\d]+/i).filter((word) => word !== "")

const isSubset = (some: readonly string[], all: readonly string[]): boolean => some.every((word) => all.includes(word))

/** Characters to insert, delete, replace, or swap with the next one. */
function editsBetween(from: string, to: string): number {
  let before: readonly number[] = []
  let row: readonly number[] = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let i = 0; i < from.length; i++) {
    const next = [i + 1]
    for (let j = 0; j < to.length; j++) {
      const [diagonal = 0, above = 0, left = 0] = [row[j], row[j + 1], next[j]]
      const swapped =
        i > 0 && j > 0 && from[i] === to[j - 1] && from[i - 1] === to[j] ? (before[j - 1] ?? 0) + 1 : Infinity
      next.push(Math.min(diagonal + (from[i] === to[j] ? 0 : 1), above + 1, left + 1, swapped))
    }
    before = row
    row = next
  }
  return row.at(-1) ?? 0
}
