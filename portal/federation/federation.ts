import type { Logger } from "#core/log/logger.ts"
import { type Accepted, readAccepted } from "./accepted.ts"
import { openFormerShards } from "./former-shards.ts"
import type { FederationPlan } from "./load.ts"
import { type PortalMetrics, shardLabel } from "./metrics.ts"
import { openPlacement } from "./placement.ts"
import type { PrometheusServer } from "./prometheus.ts"
import { openRollout, type Rollout, type WithTokens } from "./rollout.ts"
import type { Shard } from "./shards.ts"

/** One Prometheus, and what is rolled out to it. */
export interface RunningShard extends Shard {
  readonly server: PrometheusServer
  readonly rollout: Rollout
}

/** What the Prometheus of an earlier process accepted: in force while the configuration files are faulty. */
export interface AcceptedPlans {
  readonly sites: Accepted["sites"]
  readonly accepted: ReadonlyMap<string, Accepted>
}

interface FederationOptions {
  readonly shards: readonly [Shard, ...Shard[]]
  readonly sending: PrometheusServer["sending"]
  readonly metrics: PortalMetrics
  readonly log: Logger
  readonly withTokens?: WithTokens
  /** Milliseconds of Unix time. */
  readonly now?: () => number
  /** Seconds between looks at what is over. */
  readonly every?: number
}

/** Keeps the configuration of each Prometheus equal to a plan; none waits for another. */
export function openFederation(options: FederationOptions) {
  const { shards, sending, metrics, log, withTokens, now = Date.now, every = 1 } = options
  const former = openFormerShards(shards, log)
  const running = shards.map((shard): RunningShard => {
    const server = { url: shard.url, sending }
    const given = { metrics: metrics.of(shard), log, withTokens, beside: former.file }
    return { ...shard, server, rollout: openRollout(shard.folder, server, given) }
  })
  const names = shards.map(({ name }) => name)
  const placement = openPlacement(names, () => now() / 1000)
  let plan: FederationPlan | undefined
  let listed: FederationPlan["sites"] | AcceptedPlans["sites"] = []
  let resumed = false

  /** Read without the lock: only names count, and the portal that writes there may be about to end. */
  async function resume(): Promise<void> {
    if (resumed) return
    const held = await Promise.all(
      shards.map(async ({ name, folder }) => [name, namesIn(await readAccepted(folder, log))] as const),
    )
    placement.resume(new Map(held))
    resumed = true
  }

  function rollOut({ rollout, ...shard }: RunningShard): void {
    if (plan === undefined) return
    rollout.start(
      plan.of(
        plan.sites.filter(({ name }) => placement.has(shard.name, name)),
        shard,
      ),
    )
  }

  function exportSites(): void {
    metrics.sites.set(listed.length)
    metrics.siteInterval.reset()
    for (const { name, interval, paused } of listed)
      if (paused === undefined) metrics.siteInterval.set({ site: name, ...labelOf(placement.ownerOf(name)) }, interval)
  }

  const labels = new Map(shards.map((shard) => [shard.name, shardLabel(shard)]))
  const labelOf = (shard: string) => labels.get(shard) ?? {}

  let changed = false
  function look(): void {
    const ended = placement.end()
    for (const { site, to, from, late } of ended)
      if (late)
        log.warn({ site, shard: to, left: from.join() }, "the site moved though its new Prometheus gets nothing")
    if (ended.length > 0) log.info({ sites: ended.length }, "sites moved to another Prometheus")
    const left = new Set(ended.flatMap(({ from }) => from))
    for (const shard of running) if (left.has(shard.name)) rollOut(shard)
    if (changed || ended.length > 0) exportSites()
    changed = false
  }
  const timer = setInterval(look, every * 1000).unref()

  return {
    shards: running,
    former,
    folders: shards.map(({ folder }) => folder),
    placement: {
      ownerOf: placement.ownerOf,
      moves: placement.moves,
      /** The new shard of a site that moves delivers. True the first time. */
      delivers(site: string, shard: string): boolean {
        const isFirst = placement.delivers(site, shard)
        changed ||= isFirst
        return isFirst
      },
    },
    /** To be called before the first plan. */
    open: () => former.read(),
    /** Rolls this out. */
    async start(next: FederationPlan | AcceptedPlans): Promise<void> {
      await resume()
      listed = next.sites
      if ("accepted" in next) {
        for (const { name, rollout } of running) {
          const accepted = next.accepted.get(name)
          if (accepted !== undefined) rollout.start(accepted)
        }
      } else {
        plan = next
        placement.list(next.sites)
        running.forEach(rollOut)
      }
      exportSites()
    },
    /** Tokens were renewed: brings them to each Prometheus. */
    renewTokens(): void {
      for (const { rollout } of running) rollout.renewTokens()
    },
    /** What each Prometheus accepted last, of an earlier process too. Undefined where there is none, or other portals are alive. */
    async lastAccepted(): Promise<AcceptedPlans | undefined> {
      const accepted = new Map<string, Accepted>()
      for (const { name, rollout } of running) {
        const found = await rollout.lastAccepted()
        if (found !== undefined) accepted.set(name, found)
      }
      const sites = new Map([...accepted.values()].flatMap((one) => one.sites.map((site) => [site.name, site])))
      return accepted.size === 0 ? undefined : { sites: [...sites.values()], accepted }
    },
    /** Why no Prometheus has a configuration yet; undefined once one was written. */
    notReady: (): string | undefined =>
      running.some(({ rollout }) => rollout.notReady() === undefined) ? undefined : running[0]?.rollout.notReady(),
    async close(): Promise<void> {
      clearInterval(timer)
      await Promise.all(running.map(({ rollout }) => rollout.close()))
    },
  }
}

const namesIn = (accepted: Accepted | undefined): readonly string[] =>
  (accepted?.sites ?? []).filter(({ paused }) => paused === undefined).map(({ name }) => name)
