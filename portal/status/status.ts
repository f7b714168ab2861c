import type { Registry } from "prom-client"
import { closeAll } from "#core/closable.ts"
import type { Fault } from "#core/errors.ts"
import type { Logger } from "#core/log/logger.ts"
import { probe } from "../diagnosis/probe/probe.ts"
import { createProbeSchedule } from "../diagnosis/probe/schedule.ts"
import { sharedCause } from "../diagnosis/shared-cause.ts"
import type { FormerShard, FormerShards } from "../federation/former-shards.ts"
import { shardLabel } from "../federation/metrics.ts"
import type { Limits } from "../federation/schema.ts"
import type { Contents } from "../federation/site-agent.ts"
import { limitsOf } from "../federation/sites.ts"
import type { WatchedPlacement } from "./arrivals.ts"
import { bannersOf, datedBanners } from "./banners.ts"
import type { SigningProblem } from "./signing-banner.ts"
import { detailsOf, openBoard } from "./board.ts"
import { explainBy } from "./explain.ts"
import type { ListedSite } from "./listed.ts"
import { keepMemory, memoryOf, NO_MEMORY, readMemory } from "./memory.ts"
import { respondsMetric, statusMetrics } from "./metrics.ts"
import type { Overview, StatusSource } from "./overview.ts"
import { openProbeTriggers } from "./probe-triggers.ts"
import type { Moment } from "./tracked.ts"
import { openWatch, type Watch, type WatchedShard } from "./watch.ts"

/** Turns of polls between two writings of what is remembered. */
const WRITE = 30

export interface StatusOptions {
  readonly shards: readonly WatchedShard[]
  readonly placement: WatchedPlacement
  readonly former: Pick<FormerShards, "find" | "folders">
  /** Where each shard has its configuration: in the first is noted what outlives a restart. */
  readonly folders: readonly string[]
  readonly sitesFile: string
  readonly log: Logger
  readonly registry: Registry
  /** Of tokens that the portal signs: those that Prometheus has, and what is the matter with their keys. */
  readonly tokenOf?: Moment["tokenOf"]
  readonly signing?: () => SigningProblem | undefined
  /** Milliseconds of Unix time. */
  readonly now?: () => number
  /** Seconds between polls. */
  readonly every?: number
}

/** What is listed, and with what it is requested. */
export interface Listing {
  readonly sites: readonly ListedSite[]
  readonly contents: Contents
  /** Undefined where only the last accepted configuration is known. */
  readonly limits: Limits | undefined
}

/** Watches what each Prometheus knows of its sites, probes them, and offers what is known. */
export function openStatus(options: StatusOptions) {
  const { shards, placement, former, folders, sitesFile, log, registry, now = Date.now, every = 1 } = options
  const [folder = ""] = folders
  const ending = new AbortController()
  let listing: Listing = { sites: [], contents: new Map(), limits: undefined }
  const board = openBoard(
    explainBy(() => listing.limits),
    ({ entry }) => listing.contents.get(entry?.secretFile ?? ""),
    options.tokenOf,
  )
  const labels = new Map(shards.map((shard) => [shard.name, shardLabel(shard)]))
  const labelOf = (shard: string) => labels.get(shard) ?? {}
  const banners = datedBanners()
  const probeTriggers = openProbeTriggers(now)
  const subscribers = new Set<(names: ReadonlySet<string>) => void>()
  let faults: readonly Fault[] = []
  let formerShards: readonly FormerShard[] = []
  let seenBefore: Date | undefined
  let overview: Overview = {
    asOf: new Date(now()),
    sites: [],
    banners: [],
    configConfirmed: null,
    ruleFiles: [],
    prometheusSeen: null,
  }
  const metrics = statusMetrics(registry, () => overview, labelOf)
  const watches = shards.map((shard) =>
    openWatch(shard, { board, placement, metrics: metrics.of(shard.name), log, now, every }),
  )
  respondsMetric(registry, shards, (name) => watchOf(name)?.isKnown() === true)
  const schedule = createProbeSchedule({
    probe: (name, signal) => probeSite(name, signal),
    reported: (report) => board.setReport(report.site, report),
    now,
  })
  const memory = keepMemory(folder, {
    log,
    content: () =>
      memoryOf(
        [...board.tracked()].map(([name, tracked]) => [name, tracked.site.url, tracked]),
        overview.prometheusSeen,
      ),
    mayWrite: () => shards[0]?.rollout.ownsFolder() === true && listing.limits !== undefined,
  })

  const watchOf = (shard: string): Watch | undefined => watches.find(({ name }) => name === shard)
  const ofShards = {
    shardOf: placement.ownerOf,
    momentOf: (shard: string): Moment =>
      watchOf(shard)?.moment() ?? { now: now(), ahead: 0, known: false, readySince: undefined },
  }

  function probeSite(name: string, signal: AbortSignal) {
    const tracked = board.get(name)
    const { contents, limits, sites } = listing
    if (tracked?.site.entry === undefined || limits === undefined) return Promise.resolve(undefined)
    const { entry } = tracked.site
    return probe({ site: entry, contents, limits: limitsOf(entry, limits), others: sites }, { signal })
  }

  /** Of those who must all have it: the first or last of their times, or none. */
  function timeOfAll(timeOf: (watch: Watch) => number | undefined, pick: (...times: number[]) => number): Date | null {
    const times = watches.map(timeOf).filter((time) => time !== undefined)
    return times.length < watches.length ? null : new Date(pick(...times))
  }

  function show(of: readonly Watch[]): void {
    board.place(ofShards, (site, shard) => watchOf(shard)?.arrived(site))
    for (const watch of of) watch.judge()
    const names = board.takeChanged()
    const sites = board.rows()
    const scraped = sites.filter(({ state }) => state !== "paused")
    const failing = scraped.filter(({ state }) => state === "down" || state === "stale")
    const found = bannersOf({
      shards: watches.map((watch) => watch.circumstances()),
      faults,
      signing: options.signing?.(),
      sitesFile,
      former: formerShards,
      shared: sharedCause(failing, scraped.length, new Date(now())),
    })
    overview = {
      asOf: new Date(now()),
      sites,
      banners: banners(found, new Date(now())),
      configConfirmed: timeOfAll((watch) => watch.confirmed()?.getTime(), Math.max),
      ruleFiles: [...new Set(watches.flatMap((watch) => watch.ruleFiles()))],
      // until they respond, what is shown is what an earlier process saw
      prometheusSeen: timeOfAll((watch) => watch.seen() ?? seenBefore?.getTime(), Math.min),
    }
    schedule.update(probeTriggers(board.tracked().values()))
    if (names.size > 0) for (const subscriber of subscribers) subscriber(names)
  }

  let turns = 0
  function turned(watch: Watch): void {
    // one that hangs does not turn, and is not to stay green for that
    show([watch, ...watches.filter((other) => other !== watch && !other.isKnown())])
    turns += 1
    if (turns % (WRITE * watches.length) !== 0) return
    void memory.write()
    void former.find().then((one) => (formerShards = one))
  }

  async function run(): Promise<void> {
    formerShards = await former.find()
    await Promise.all(watches.map((watch) => watch.run(ending.signal, () => turned(watch))))
  }

  const source: StatusSource = {
    current: () => overview,
    site(name) {
      const tracked = board.get(name)
      const token = options.tokenOf?.(name)
      return tracked && detailsOf(tracked, token && new Date(token.expires * 1000))
    },
    check: async (name, signal) => {
      const site = board.get(name)?.site
      if (site === undefined) return { kind: "unknown_site" }
      return site.pushes === undefined ? schedule.check(name, signal) : { kind: "not_requested" }
    },
    subscribe(subscriber) {
      subscribers.add(subscriber)
      return () => subscribers.delete(subscriber)
    },
  }
  let running: Promise<void> | undefined
  let remembered = NO_MEMORY.sites
  return {
    source,
    labelOf,
    /** Reads what an earlier process noted; to be called before the first list. */
    async open(): Promise<void> {
      ;({ sites: remembered, seen: seenBefore } = await readMemory([...folders, ...former.folders()], log))
    },
    /** Lists these sites from now on; the first call begins to request Prometheus. */
    list(next: Listing): void {
      listing = next
      board.list(next.sites, ofShards, remembered)
      const names = new Set(next.sites.map(({ name }) => name))
      // for once: one that is removed and listed again is new
      remembered = new Map([...remembered].filter(([name]) => !names.has(name)))
      show(watches)
      running ??= run()
    },
    /** The configuration files have these faults, and the previous configuration stays in force; or they have none. */
    setFaults(found: readonly Fault[]): void {
      faults = found
    },
    async close(): Promise<void> {
      ending.abort()
      await closeAll([schedule, { close: () => running ?? Promise.resolve() }, ...watches])
      await memory.write()
    },
  }
}
