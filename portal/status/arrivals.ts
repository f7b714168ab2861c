import type { Move } from "../federation/placement.ts"
import type { Board } from "./board.ts"
import type { Polled } from "./poll.ts"
import { NO_SCRAPES, type ScrapeRecord, withScrape, withTarget } from "./record.ts"

/** Seconds, beside the timeout. */
const MARGIN = 3

/** Which Prometheus a site is watched by, and to which it moves. */
export interface WatchedPlacement {
  readonly ownerOf: (site: string) => string
  readonly moves: () => Iterable<Move>
  readonly delivers: (site: string, shard: string) => boolean
}

/** Watches the sites that move to a shard: their old one is left when they deliver at this one. */
export function openArrivals(shard: string, placement: WatchedPlacement, board: Pick<Board, "get">) {
  let records: ReadonlyMap<string, ScrapeRecord> = new Map()

  const arriving = () =>
    [...placement.moves()].flatMap((move) => {
      const site = board.get(move.site)?.site
      return move.to === shard && site !== undefined ? [{ ...move, timeout: site.timeout }] : []
    })

  return {
    /** Seconds back for which scrapes are needed, so that none that took long is missed; 0 where no site arrives. */
    window: (): number => Math.max(0, ...arriving().map(({ timeout }) => timeout + MARGIN)),
    /** What a poll brought. `ahead`: seconds that the clock of Prometheus is ahead. */
    take({ scrapes, targets, alone }: Polled, ahead: number): void {
      const next = new Map<string, ScrapeRecord>()
      for (const { site, timeout, since } of arriving()) {
        let record = records.get(site) ?? NO_SCRAPES
        for (const scrape of scrapes.get(site) ?? [])
          if (scrape.at - ahead >= since - 1) record = withScrape(record, scrape, timeout)
        const target = targets.get(site)
        if (target !== undefined && target.at - ahead >= since - 1) record = withTarget(record, target, timeout, alone)
        next.set(site, record)
        if (record.delivered !== undefined && record.failures === 0) placement.delivers(site, shard)
      }
      records = next
    },
    recordOf: (site: string): ScrapeRecord | undefined => records.get(site),
  }
}
