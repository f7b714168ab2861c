import { todoAtSite } from "../diagnosis/find.ts"
import type { ProbeReport } from "../diagnosis/probe-report.ts"
import type { Visible } from "./judge.ts"
import { withoutSecrets } from "#core/log/without-secrets.ts"
import type { ListedSite } from "./listed.ts"
import type { Memory } from "./memory.ts"
import type { SiteDetails, SiteStatus } from "./overview.ts"
import type { Polled } from "./poll.ts"
import { NO_SCRAPES, type ScrapeRecord, withScrape, withTarget } from "./record.ts"
import {
  atShard,
  type Explain,
  type Moment,
  newlyListed,
  type Remembered,
  track,
  type Tracked,
  update,
  withAnotherFailure,
} from "./tracked.ts"
import { windowOf } from "./window.ts"

/**
 * All sites, each with what is known of it by the Prometheus that scrapes it. Times in milliseconds. `secretOf`: what a site is
 * sent, and may send back in what Prometheus then cites.
 */
export function openBoard(
  explain: Explain,
  secretOf: (site: ListedSite) => string | undefined,
  tokenOf?: Moment["tokenOf"],
) {
  let sites: ReadonlyMap<string, Tracked> = new Map()
  let rows: readonly SiteStatus[] = []
  const changed = new Set<string>()

  function replaceAll(change: (tracked: Tracked) => Tracked, shard?: string): void {
    const next = new Map<string, Tracked>()
    for (const [name, tracked] of sites) {
      const changedOne = shard === undefined || tracked.shard === shard ? change(tracked) : tracked
      next.set(name, changedOne)
      if (showsOther(changedOne, tracked)) changed.add(name)
    }
    sites = next
  }

  return {
    /** Lists these sites from now on. One that was listed before keeps what is known of it, unless it is at another place. */
    list(listed: readonly ListedSite[], { shardOf, momentOf }: Shards, memory: Memory["sites"]): void {
      const next = new Map<string, Tracked>()
      for (const site of listed) {
        const before = sites.get(site.name)
        const shard = before?.shard ?? shardOf(site.name)
        const moment = momentOf(shard)
        const known = before ?? rememberedOf(site, memory) ?? newlyListed(moment)
        next.set(
          site.name,
          before === undefined ? track(site, known, shard, moment.now) : relisted(before, site, moment),
        )
        changed.add(site.name)
      }
      for (const name of sites.keys()) if (!next.has(name)) changed.add(name)
      sites = next
    },
    /** Notes whose word counts for each site now. `recordOf`: what that one knows of it already. */
    place({ shardOf, momentOf }: Shards, recordOf: (site: string, shard: string) => ScrapeRecord | undefined): void {
      replaceAll((tracked) => {
        const { name } = tracked.site
        const shard = shardOf(name)
        return shard === tracked.shard ? tracked : atShard(tracked, shard, recordOf(name, shard), momentOf(shard))
      })
    },
    /** What a poll brought, with nothing in its words that a site was sent. */
    redacted(polled: Polled): Polled {
      const targets = [...polled.targets].map(([name, target]) => {
        const site = sites.get(name)?.site
        const error = site === undefined ? "" : withoutSecrets(target.error, [secretOf(site)])
        return [name, { ...target, error }] as const
      })
      return { ...polled, targets: new Map(targets) }
    },
    /** The sites for which one Prometheus counts. */
    of(shard: string) {
      return {
        /** Takes what a poll brought. */
        take({ scrapes, targets, writes, alone, clock }: Polled, { now, readySince }: Moment): void {
          replaceAll((tracked) => {
            if (tracked.site.pushes !== undefined) return withWrites(tracked, writes?.get(tracked.site.name))
            const { name, timeout } = tracked.site
            const isOwn = ({ at }: { readonly at: number }): boolean =>
              !tracked.moved || (readySince !== undefined && at >= tracked.listedSince)
            let record = isAhead(tracked.record, clock) ? NO_SCRAPES : tracked.record
            for (const scrape of (scrapes.get(name) ?? []).filter(isOwn)) record = withScrape(record, scrape, timeout)
            const target = targets.get(name)
            if (target !== undefined && isOwn(target)) record = withTarget(record, target, timeout, alone)
            return record === tracked.record ? tracked : withAnotherFailure(tracked, record, now)
          }, shard)
        },
        /** Judges the sites anew. `hasPool`: whether Prometheus has the site's job. */
        judge(hasPool: (name: string) => boolean | undefined, moment: Moment): void {
          replaceAll((tracked) => update(tracked, hasPool(tracked.site.name), { ...moment, tokenOf }, explain), shard)
        },
        setVisible(visible: ReadonlyMap<string, Visible>): void {
          replaceAll((tracked) => {
            const seen = visible.get(tracked.site.name)
            return seen === undefined ? tracked : { ...tracked, visible: seen }
          }, shard)
        },
        setDayAgo(series: ReadonlyMap<string, number>): void {
          replaceAll((tracked) => {
            const seriesDayAgo = series.get(tracked.site.name) ?? null
            return seriesDayAgo === tracked.seriesDayAgo ? tracked : { ...tracked, seriesDayAgo }
          }, shard)
        },
        tracked: (): ReadonlyMap<string, Tracked> => new Map([...sites].filter(([, one]) => one.shard === shard)),
        window: (now: number, polled: number | undefined): number =>
          windowOf(
            [...sites.values()].filter((one) => one.shard === shard),
            now,
            polled,
          ),
      }
    },
    setReport(name: string, report: ProbeReport): void {
      const tracked = sites.get(name)
      if (tracked === undefined) return
      sites = new Map(sites).set(name, { ...tracked, report })
      changed.add(name)
    },
    /** Names whose rows or details changed since the last call. */
    takeChanged(): ReadonlySet<string> {
      const taken = new Set(changed)
      changed.clear()
      if (taken.size > 0) rows = [...sites.values()].map(({ row }) => row)
      return taken
    },
    rows: () => rows,
    tracked: () => sites,
    get: (name: string) => sites.get(name),
  }
}

const showsOther = (one: Tracked, other: Tracked): boolean =>
  one.row !== other.row || one.changes !== other.changes || one.report !== other.report

/** The proxy counts anew when it is started: what was seen before is remembered. */
function withWrites(tracked: Tracked, writes: Tracked["writes"]): Tracked {
  const { record } = tracked
  const delivered = Math.max(record.delivered ?? 0, writes?.last ?? 0)
  return { ...tracked, writes, record: delivered > 0 ? { ...record, delivered } : record }
}

/** Seconds. Beyond that the clock of Prometheus was wrong, and no scrape would be newer until it has come so far again. */
const AHEAD = 10

const isAhead = ({ last }: ScrapeRecord, clock: number): boolean => last !== undefined && last.at - clock > AHEAD

/** The Prometheus of each site, and how things are there. */
interface Shards {
  readonly shardOf: (site: string) => string
  readonly momentOf: (shard: string) => Moment
}

/** Of another address nothing is remembered. One that is known only by the last accepted configuration has none. */
function rememberedOf({ name, url }: ListedSite, memory: Memory["sites"]): Remembered | undefined {
  const found = memory.get(name)
  return found !== undefined && (url === "" || found.url === url) ? found.remembered : undefined
}

export type Board = ReturnType<typeof openBoard>
export type ShardBoard = ReturnType<Board["of"]>

/** Changes of sites.yaml: what is known of another address does not hold for the new one, but for its history. */
function relisted(before: Tracked, site: ListedSite, moment: Moment): Tracked {
  const isOther = before.site.url !== site.url && before.site.url !== ""
  const isSame = !isOther && before.site.paused === undefined && site.paused === undefined
  const row = {
    ...before.row,
    labels: site.labels,
    url: site.url,
    timeoutSeconds: site.timeout,
    intervalSeconds: site.interval,
  }
  if (isSame && before.site.url === site.url) return { ...before, site, row }
  const { listedSince } = newlyListed(moment)
  const anew = { ...before, site, row, report: undefined, visible: undefined, listedSince }
  return isOther ? { ...anew, record: NO_SCRAPES, moved: true } : anew
}

export function detailsOf({ site, row, report, changes, finding }: Tracked, tokenExpires?: Date): SiteDetails {
  const { match, where, credentials, tls, proxyUrl, paused, pushes } = site
  return {
    status: row,
    todoAtSite: (finding && todoAtSite(finding)) ?? null,
    report,
    changes,
    match,
    where,
    credentials,
    tls,
    proxyUrl,
    paused,
    pushes,
    tokenExpires: tokenExpires ?? report?.tokenExpires,
    certificateExpires: report?.certificateExpires,
  }
}
