/** The lines of one namespace in a listing. */
export interface NamespaceText {
  /** The line of its name: `"a:b":`, or `? name` where that is long. */
  readonly key: string
  /** Lines of each group, an item of a list. */
  readonly groups: readonly string[]
}

const NEWLINE = 0x0a
const SPACE = 0x20
const DASH = 0x2d
const COLON = 0x3a
/** With these begins what is more than one line, or no key. */
const NO_KEY = new Set(Buffer.from("?:-#%&*!{}[]|>@`., \t"))
const LONG_KEY = /^\? [\w"']/

/**
 * A listing cut into its groups, as rulers write one: a block map of block lists. What is indented less than an item's content
 * cannot belong to the item (YAML 1.2, 6.1 and 8), so a cut before each `-` of the list is never within a text. Undefined
 * where it is written otherwise. The texts share no memory with `listing`.
 */
export function splitGroups(listing: Buffer): readonly NamespaceText[] | undefined {
  const namespaces: { key: string; groups: string[] }[] = []
  let indent = 0
  let from = -1
  let isAfterLongKey = false
  const endGroup = (to: number): void => {
    // a colon before the first one of a long key
    if (from >= 0) namespaces.at(-1)?.groups.push(` ${listing.toString("utf8", from + 1, to)}`)
    from = -1
  }
  for (let start = 0, end = 0; start < listing.length; start = end + 1) {
    end = listing.indexOf(NEWLINE, start)
    if (end < 0) return undefined
    const isValue: boolean = isAfterLongKey && listing[start] === COLON
    let at: number = isValue ? start + 1 : start
    while (listing[at] === SPACE) at++
    if (at === end) continue
    if (at === start) {
      endGroup(start)
      const isKey: boolean = !NO_KEY.has(listing[start] ?? 0) && listing[end - 1] === COLON
      isAfterLongKey = !isKey && LONG_KEY.test(listing.toString("latin1", start, start + 3))
      if (!isKey && !isAfterLongKey) return undefined
      namespaces.push({ key: listing.toString("utf8", start, end), groups: [] })
      indent = 0
      continue
    }
    if (namespaces.length === 0 || isValue !== isAfterLongKey) return undefined
    isAfterLongKey = false
    if (indent === 0) indent = at - start
    if (at - start > indent) continue
    if (at - start < indent || listing[at] !== DASH || listing[at + 1] !== SPACE) return undefined
    endGroup(start)
    from = start
  }
  endGroup(listing.length)
  const isEmpty = namespaces.length === 0 || namespaces.some(({ groups }) => groups.length === 0)
  return isEmpty ? undefined : namespaces
}
