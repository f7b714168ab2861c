import { Entry, type Known, type KnownPart } from "./resend-entry.ts"
import type { RequestKey } from "./request-key.ts"
import type { Part } from "./verdict.ts"

export interface ResendBounds {
  /** Milliseconds from the last response to a request until it is forgotten. */
  readonly time: number
  /** Of all senders together; one may have a quarter. */
  readonly bytes: number
}

/** What was remembered of an earlier request with the same body, by the keys of its slices. */
export type Earlier = ReadonlyMap<string, Known>

/** What is remembered of a request, as plain data; of no slices: it is to be forgotten. */
export interface SharedEntry {
  readonly sender: string
  readonly hash: string
  readonly length: number
  readonly rules: string
  readonly at: number
  readonly slices: readonly (readonly [key: string, known: KnownPart])[]
}

interface OfSender {
  readonly entries: Map<string, Entry>
  /** How many entries there are for bodies of each length: most requests are known to be new by theirs alone. */
  readonly lengths: Map<number, number>
  bytes: number
}

export type Resends = ReturnType<typeof createResends>

/**
 * What became of the slices of requests whose senders will resend them, so that a resend goes only to the tenants that did
 * not take theirs. `now`: milliseconds of a clock that only goes forward. `share` is called with what others, to whom a
 * resend may come, are to remember too.
 */
export function createResends(
  bounds: ResendBounds,
  now: () => number,
  share: (shared: SharedEntry) => void = () => undefined,
) {
  const senders = new Map<string, OfSender>()
  let bytes = 0
  let count = 0

  function remove(sender: string, hash: string): void {
    const of = senders.get(sender)
    const entry = of?.entries.get(hash)
    if (of === undefined || entry === undefined) return
    of.entries.delete(hash)
    of.bytes -= entry.bytes
    bytes -= entry.bytes
    count--
    const others = (of.lengths.get(entry.length) ?? 0) - 1
    if (others > 0) of.lengths.set(entry.length, others)
    else of.lengths.delete(entry.length)
    if (of.entries.size === 0) senders.delete(sender)
  }

  function add(sender: string, hash: string, entry: Entry): void {
    remove(sender, hash)
    const of = senders.get(sender) ?? {
      entries: new Map<string, Entry>(),
      lengths: new Map<number, number>(),
      bytes: 0,
    }
    senders.set(sender, of)
    of.entries.set(hash, entry)
    of.lengths.set(entry.length, (of.lengths.get(entry.length) ?? 0) + 1)
    of.bytes += entry.bytes
    bytes += entry.bytes
    count++
    while (of.bytes > bounds.bytes / 4) removeOldest(sender, of)
    while (bytes > bounds.bytes) {
      const [[name, largest] = []] = [...senders].toSorted(([, a], [, b]) => b.bytes - a.bytes)
      if (name === undefined || largest === undefined) return
      removeOldest(name, largest)
    }
  }

  function removeOldest(sender: string, { entries }: OfSender): void {
    const [hash = ""] = entries.keys()
    remove(sender, hash)
  }

  /** The entries of a sender stand in the order of their times. */
  function sweep(): void {
    const oldest = now() - bounds.time
    for (const [sender, { entries }] of senders) {
      for (const [hash, { at }] of entries) {
        if (at > oldest) break
        remove(sender, hash)
      }
    }
  }

  function put({ sender, hash, length, rules, at, slices }: SharedEntry): void {
    if (slices.length === 0) remove(sender, hash)
    else add(sender, hash, new Entry(length, rules, at, new Map(slices)))
    sweep()
  }

  const entryOf = ({ sender, hash }: RequestKey): Entry | undefined => senders.get(sender)?.entries.get(hash)

  return {
    /** `rules` name what decided where series go: what was remembered by others is of other slices. */
    find(key: RequestKey, rules: () => string): Earlier | undefined {
      if (senders.get(key.sender)?.lengths.has(key.length) !== true) return undefined
      sweep()
      const entry = entryOf(key)
      return entry?.rules === rules() ? entry.slices : undefined
    },
    /** The sender has gone before the response, and may resend while the slices are still in flight. */
    expect(key: RequestKey, rules: () => string, pending: ReadonlyMap<string, Promise<Part>>): void {
      sweep()
      const known = [...pending].map(([slice, part]) => [slice, { part }] as const)
      add(key.sender, key.hash, new Entry(key.length, rules(), now(), new Map(known)))
    },
    /** After all slices; `delivered` is whether the sender has got the response. Never throws. */
    note(key: RequestKey, rules: () => string, parts: ReadonlyMap<string, Part>, delivered: boolean): void {
      const isOver = parts.values().every(({ verdict }) => verdict !== "retryable" && verdict !== "limited")
      const isSure = isOver && delivered
      if (isSure && senders.get(key.sender)?.lengths.has(key.length) !== true) return
      const remembered = isSure ? [] : [...parts].flatMap(remember)
      // most failures are of requests of which nothing was accepted, and nothing is remembered
      if (remembered.length === 0 && senders.get(key.sender)?.lengths.has(key.length) !== true) return
      const { sender, hash, length } = key
      const shared = { sender, hash, length, rules: rules(), at: now(), slices: remembered }
      put(shared)
      share(shared)
    },
    /** What others share. */
    put,
    get entries(): number {
      sweep()
      return count
    },
    get bytes(): number {
      return bytes
    },
  }
}

function remember([key, part]: readonly [string, Part]): readonly (readonly [string, KnownPart])[] {
  const { verdict, limitedSince } = part
  if (limitedSince !== undefined) return [[key, { limitedSince }]]
  if (verdict !== "accepted" && verdict !== "refused") return []
  // the slice itself would keep the whole message in memory
  const { version, tenant, group, series, metadata, counts, bytes } = part.slice
  return [
    [key, { part: { ...part, slice: { version, tenant, group, series, metadata, counts, bytes }, remembered: true } }],
  ]
}
