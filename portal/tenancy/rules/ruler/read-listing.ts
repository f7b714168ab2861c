import { setImmediate as turn } from "node:timers/promises"
import { LRUCache } from "lru-cache"
import { limitConcurrency } from "#core/limits/concurrency.ts"
import type { RuleGroup } from "../model/group.ts"
import { groupOf, parseTexts, Unreadable, withLineFeeds } from "./read-group.ts"
import type { TenantGroups } from "./ruler.ts"
import { splitGroups } from "./split-groups.ts"

/** Characters of groups that are remembered by their text: tenants mostly have the same. */
const REMEMBERED = 32 * 2 ** 20
/** Milliseconds that the thread is held at once. */
const AT_ONCE = 10
/** Bytes of a listing that may be parsed at once: a few seconds. */
const WHOLE = 8 * 2 ** 20

export type ReadListing = (listing: Buffer) => Promise<TenantGroups>

/** Reads listings of groups. Groups with the same text are the same value, whichever tenant has them. */
export function createReadListing(): ReadListing {
  const known = new LRUCache<string, RuleGroup>({
    maxSize: REMEMBERED,
    sizeCalculation: (_, { length }) => length + 500,
  })

  const groupIn = (text: string): RuleGroup => {
    const before = known.get(text)
    if (before !== undefined) return before
    const list = parseTexts(text)
    if (!Array.isArray(list) || list.length !== 1) throw new Unreadable("is not valid YAML")
    const group = groupOf(list[0])
    known.set(text, group)
    return group
  }

  /** Throws Unreadable, also where it is valid and not written as rulers do. */
  async function readPieces(listing: Buffer): Promise<TenantGroups> {
    const groups = new Map<string, Map<string, RuleGroup>>()
    let since = performance.now()
    for (const { key, groups: texts } of splitGroups(listing) ?? notAsWritten()) {
      const [entry, ...others] = keysOf(parseTexts(key))
      if (entry === undefined || others.length > 0) throw new Unreadable("is not valid YAML")
      const ofNamespace: RuleGroup[] = []
      for (const text of texts) {
        ofNamespace.push(groupIn(text))
        if (performance.now() - since < AT_ONCE) continue
        await turn()
        since = performance.now()
      }
      add(groups, entry, ofNamespace)
    }
    return groups
  }

  // side by side they would take no less time, and the memory of all
  const inTurn = limitConcurrency(1)
  /** Throws Unreadable. */
  const read: ReadListing = async (sent) => {
    const listing =
      sent.includes("\u2028") || sent.includes("\u2029") ? Buffer.from(withLineFeeds(sent.toString())) : sent
    if (listing.length < 10 && listing.toString().trim() === "{}") return new Map()
    // each ruler ends with one; without it the end may be missing
    if (listing.at(-1) !== NEWLINE) throw new Unreadable("breaks off")
    try {
      return await readPieces(listing)
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error
      if (listing.length > WHOLE) throw error
      return readWhole(listing)
    }
  }
  return (sent) => inTurn(() => read(sent))
}

const NEWLINE = 0x0a

const notAsWritten = (): never => {
  throw new Unreadable("is not written as rulers write it")
}

function readWhole(listing: Buffer): TenantGroups {
  const value = parseTexts(listing.toString())
  if (!(value instanceof Map)) throw new Unreadable("is no map of namespaces")
  const groups = new Map<string, Map<string, RuleGroup>>()
  for (const [namespace, list] of value as ReadonlyMap<unknown, unknown>) {
    if (typeof namespace !== "string" || !Array.isArray(list)) throw new Unreadable("is no map of lists of groups")
    add(groups, namespace, list.map(groupOf))
  }
  return groups
}

function add(groups: Map<string, ReadonlyMap<string, RuleGroup>>, namespace: string, list: readonly RuleGroup[]): void {
  const byName = new Map(list.map((group) => [group.name, group]))
  if (byName.size < list.length || groups.has(namespace)) throw new Unreadable("has a group or a namespace twice")
  groups.set(namespace, byName)
}

/** Of a map whose values are all empty. */
const keysOf = (value: unknown): readonly string[] =>
  value instanceof Map
    ? [...(value as ReadonlyMap<unknown, unknown>)].flatMap(([key, empty]) =>
        typeof key === "string" && (empty === "" || empty === null) ? [key] : [],
      )
    : []
