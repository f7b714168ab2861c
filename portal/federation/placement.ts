import { homeOf } from "./shards.ts"

/** What is needed of a site. `shard`: a pin. */
export interface Placed {
  readonly name: string
  readonly interval: number
  readonly paused?: object | undefined
  readonly shard?: string | undefined
}

/** A site that a shard begins to scrape while others still do. */
export interface Move {
  readonly site: string
  readonly interval: number
  readonly to: string
  /** That scrape it still; the first is the one whose word counts until `to` delivers. */
  readonly from: readonly string[]
  /** In seconds. */
  readonly since: number
  /** When `to` delivered first; undefined while it has not. */
  readonly delivered: number | undefined
}

/** Seconds that a move may take beside two intervals: then the site is left to its new shard, whether that delivers or not. */
const LONGEST = 3600
/** Seconds for which moves that are over wait for others: the old shard is not reloaded for each site. */
const GATHERED = 30

/**
 * Which shards scrape which sites. A site that moves is scraped by its old and its new shard until the new one has delivered
 * for an interval. `now`: seconds.
 */
export function openPlacement(shards: readonly string[], now: () => number) {
  /** By site: the shards that scrape it. */
  let scraping = new Map<string, ReadonlySet<string>>()
  let moves = new Map<string, Move>()

  const homeOfSite = ({ name, shard }: Placed): string => shard ?? homeOf(name, shards)

  /** Whose word counts for a site that some scrape. */
  function ownerOf(name: string): string | undefined {
    const move = moves.get(name)
    if (move !== undefined) return move.delivered === undefined ? move.from[0] : move.to
    return scraping.get(name)?.values().next().value
  }

  function moveOf(site: Placed, home: string, holders: ReadonlySet<string>): Move | undefined {
    const { name, interval } = site
    const before = moves.get(name)
    if (before?.to === home) return { ...before, interval }
    const owner = ownerOf(name)
    if (before !== undefined && owner === home) return undefined // back to where it still counts
    const from = [...holders].filter((one) => one !== home)
    if (from.length === 0) return undefined
    const first = owner !== undefined && from.includes(owner) ? [owner] : []
    const others = from.filter((one) => one !== first[0])
    return { site: name, interval, to: home, from: [...first, ...others], since: now(), delivered: undefined }
  }

  return {
    /** What shards scraped before, as an earlier process had it accepted; to be called before the first `list`. */
    resume(held: ReadonlyMap<string, readonly string[]>): void {
      const found = new Map<string, ReadonlySet<string>>()
      for (const shard of shards)
        for (const name of held.get(shard) ?? []) found.set(name, new Set([...(found.get(name) ?? []), shard]))
      scraping = found
    },
    /** Lists these sites from now on. */
    list(listed: readonly Placed[]): void {
      const next = new Map<string, ReadonlySet<string>>()
      const moving = new Map<string, Move>()
      for (const site of listed) {
        const home = homeOfSite(site)
        const move = site.paused === undefined ? moveOf(site, home, scraping.get(site.name) ?? new Set()) : undefined
        if (move !== undefined) moving.set(site.name, move)
        next.set(site.name, new Set([home, ...(move?.from ?? [])]))
      }
      scraping = next
      moves = moving
    },
    /** Whether a shard scrapes a site. */
    has: (shard: string, name: string): boolean => scraping.get(name)?.has(shard) === true,
    ownerOf: (name: string): string => ownerOf(name) ?? homeOf(name, shards),
    moves: (): Iterable<Move> => moves.values(),
    /** The new shard of a site delivers. True the first time. */
    delivers(name: string, shard: string): boolean {
      const move = moves.get(name)
      if (move === undefined || move.to !== shard || move.delivered !== undefined) return false
      moves.set(name, { ...move, delivered: now() })
      return true
    },
    /** Ends the moves that are over. */
    end(): readonly EndedMove[] {
      const over = (move: Move): number =>
        Math.min((move.delivered ?? Infinity) + move.interval, move.since + 2 * move.interval + LONGEST)
      const due = [...moves.values()].filter((move) => over(move) <= now())
      const isOld = due.some((move) => now() - over(move) >= GATHERED)
      const soon = [...moves.values()].some((move) => move.delivered !== undefined && !due.includes(move))
      if (due.length === 0 || (soon && !isOld)) return []
      for (const { site, to } of due) {
        moves.delete(site)
        scraping.set(site, new Set([to]))
      }
      return due.map((move) => ({ ...move, late: move.delivered === undefined }))
    },
  }
}

export interface EndedMove extends Move {
  /** The new shard never delivered. */
  readonly late: boolean
}
