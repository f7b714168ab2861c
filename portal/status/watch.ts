import { logChanges } from "#core/log/changes.ts"
import type { Logger } from "#core/log/logger.ts"
import { pause } from "#core/retry/backoff.ts"
import type { RunningShard } from "../federation/federation.ts"
import type { Rollout } from "../federation/rollout.ts"
import { openArrivals, type WatchedPlacement } from "./arrivals.ts"
import type { ShardCircumstances } from "./banners.ts"
import type { Board } from "./board.ts"
import { elapsed } from "./elapsed.ts"
import type { ShardStatusMetrics } from "./metrics.ts"
import { openPoll, type Polled, type Silence, silenceOf } from "./poll.ts"
import { prometheusApi } from "./prometheus-api.ts"
import { openRareQueries } from "./rare-queries.ts"
import { lacksWords } from "./record.ts"
import type { Moment, Tracked } from "./tracked.ts"

/** Seconds after which nothing that Prometheus reported counts as known. */
const KNOWN = 5
/** That a job may take to be there after its configuration was accepted. */
const SETTLED = 15
/** Turns between two looks at what is on disk. */
const LOOK = 30

/** What is needed of one Prometheus. */
export interface WatchedShard extends Pick<RunningShard, "name" | "named" | "server"> {
  readonly rollout: Pick<Rollout, "confirmed" | "problem" | "ownsFolder" | "edited" | "ruleFiles">
}

interface WatchOptions {
  readonly board: Board
  readonly placement: WatchedPlacement
  readonly metrics: ShardStatusMetrics
  readonly log: Logger
  /** Milliseconds of Unix time. */
  readonly now: () => number
  /** Seconds between polls. */
  readonly every: number
}

export type Watch = ReturnType<typeof openWatch>

/** Requests of one Prometheus, again and again, how the sites are that it scrapes. */
export function openWatch(shard: WatchedShard, { board, placement, metrics, log, now, every }: WatchOptions) {
  const { rollout, server } = shard
  const own = board.of(shard.name)
  const api = prometheusApi(server)
  const poll = openPoll(api, () => now() / 1000)
  const rareQueries = openRareQueries(api, own, () => now() / 1000)
  const arrivals = openArrivals(shard.name, placement, board)
  const about = shard.named ? { shard: shard.name } : {}
  const reportSilence = logChanges((reason?: string) => {
    if (reason === undefined) log.info(about, "Prometheus responds, showing how the sites are")
    else log.warn({ ...about, reason }, "cannot request Prometheus, showing all sites as unknown")
  })
  let seen: number | undefined
  let polledAt: number | undefined
  let backSince = now()
  let ahead = 0
  let pools: Pick<Polled, "pools" | "poolsAt"> = { pools: undefined, poolsAt: -Infinity }
  let silence: Silence | undefined
  let edited: string | undefined

  const isKnown = (): boolean => seen !== undefined && elapsed(seen, now()) < KNOWN * 1000

  function moment(): Moment {
    const since = rollout.confirmed()
    const readySince = since === undefined ? undefined : (Math.max(since.getTime(), backSince) + ahead) / 1000
    return { now: now(), ahead, known: isKnown(), readySince }
  }

  /** In seconds. */
  function settledAt(): number {
    const since = rollout.confirmed()
    return since === undefined ? Infinity : since.getTime() / 1000 + SETTLED
  }

  const hasPool = (name: string): boolean | undefined =>
    pools.poolsAt < settledAt() ? undefined : pools.pools?.has(name)

  async function request(signal: AbortSignal): Promise<void> {
    const begin = performance.now()
    const at = now()
    const clock = (at + ahead) / 1000
    const window = own.window(clock, polledAt === undefined ? undefined : (polledAt + ahead) / 1000)
    const wanted = {
      window: Math.max(window, arrivals.window()),
      isSite: (name: string) => board.get(name) !== undefined,
      writes: [...own.tracked().values()].some(({ site }) => site.pushes !== undefined),
      targets: [...own.tracked().values()].filter((one) => wantsTarget(one, clock)).map(({ site }) => site.name),
      settledAt: settledAt(),
    }
    const polled = board.redacted(await poll.poll(wanted, signal))
    if (!polled.heard) return
    const difference = polled.clock * 1000 - at
    ahead = settled(difference, ahead)
    pools = polled
    if (!isKnown()) backSince = at
    polledAt = at
    seen = now()
    own.take(polled, moment())
    arrivals.take(polled, ahead / 1000)
    metrics.lastSuccess.set(seen / 1000)
    metrics.duration.set((performance.now() - begin) / 1000)
    if (!polled.alone) rareQueries.start(clock, signal)
  }

  return {
    name: shard.name,
    moment,
    isKnown,
    seen: () => seen,
    confirmed: () => rollout.confirmed(),
    ruleFiles: () => rollout.ruleFiles(),
    /** With what is known now. */
    judge: (): void => own.judge(hasPool, moment()),
    /** What was learnt of a site before its word counted. */
    arrived: arrivals.recordOf,
    circumstances(): ShardCircumstances {
      const sites = [...own.tracked().values()].filter(({ site }) => site.paused === undefined && !site.pushes)
      const missing = sites.map(({ site }) => hasPool(site.name)).filter((has) => has === false).length
      return {
        shard: shard.named ? shard.name : undefined,
        silent: isKnown() ? undefined : silence,
        prometheusUrl: server.url.origin + server.url.pathname.replace(/\/$/, ""),
        problem: rollout.problem(),
        edited,
        missing: pools.poolsAt < settledAt() ? undefined : { jobs: missing, of: sites.length },
        maxFiles: rareQueries.maxFiles(),
        sites: sites.length,
      }
    },
    /** Until `signal` is aborted. `turned`: after each poll. */
    async run(signal: AbortSignal, turned: () => void): Promise<void> {
      for (let turn = 1; !signal.aborted; turn += 1) {
        const begin = performance.now()
        try {
          await request(signal)
          silence = undefined
          reportSilence(undefined)
        } catch (error) {
          if (signal.aborted) return
          silence = silenceOf(error)
          reportSilence(silence.reason)
        }
        turned()
        if (turn % LOOK === 0) edited = await rollout.edited()
        await pause(Math.max(every / 10, every - (performance.now() - begin) / 1000), signal)
      }
    },
    close: rareQueries.close,
  }
}

/** Milliseconds: clocks are compared by whole seconds, and times must not tremble with what is left. */
const NEGLIGIBLE = 2000

/** How far the clock is ahead, where that is worth a mention; the same as before where it differs from that by little. */
function settled(difference: number, before: number): number {
  const next = Math.abs(difference) > NEGLIGIBLE ? difference : 0
  return Math.abs(next - before) > NEGLIGIBLE ? next : before
}

/** Whose failure has no words yet, and who was not scraped when it should have been. */
function wantsTarget({ site, record }: Tracked, clock: number): boolean {
  if (site.paused !== undefined || site.pushes !== undefined) return false
  if (record.last === undefined || lacksWords(record)) return true
  return clock - record.last.at > 2 * site.interval + site.timeout
}
