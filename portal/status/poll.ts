import { explain } from "#core/errors.ts"
import { RequestFailed } from "#core/http/client.ts"
import { elapsed } from "./elapsed.ts"
import { isWithoutQueries, type PrometheusApi, Refused } from "./prometheus-api.ts"
import type { Writes } from "./judge-pushing.ts"
import type { Scrape, Target } from "./scrapes.ts"
import { requestWrites } from "./writes.ts"

/** Seconds between readings. */
const TARGETS_LEAST = 2
const TARGETS_MOST = 60
const POOLS = 30
const QUERIES_AGAIN = 60
const WRITES = 5
/** Up to so many are read one by one: each is about 1.3 kB, and all are read under one lock. */
const ONE_BY_ONE = 5

/** What one poll brought. */
export interface Polled {
  readonly scrapes: ReadonlyMap<string, readonly Scrape[]>
  readonly targets: ReadonlyMap<string, Target>
  /** Of sites that push; undefined where there are none, or Prometheus cannot be queried. */
  readonly writes?: ReadonlyMap<string, Writes> | undefined
  /** No query API: what the list of targets says is all. */
  readonly alone: boolean
  /** Jobs that Prometheus has made; undefined where it does not say. */
  readonly pools: ReadonlySet<string> | undefined
  /** When it said so, in seconds. */
  readonly poolsAt: number
  /** Whether anything was requested of it but the names of its jobs. */
  readonly heard: boolean
  /** Seconds of Unix time by Prometheus' clock, in whole ones; NaN where it does not say. */
  readonly clock: number
}

/** What the next poll needs to know. */
export interface Wanted {
  /** Seconds of scrapes. */
  readonly window: number
  readonly isSite: (name: string) => boolean
  /** Whether there are sites that push. */
  readonly writes?: boolean
  /** Sites whose target is to be read: what failed, and why. */
  readonly targets: readonly string[]
  /** From when on its jobs are those of the configuration, in seconds; Infinity while it has not accepted it. */
  readonly settledAt: number
}

/** Requests of Prometheus, each time, what is due. `now`: seconds. Rejects with why it does not respond. */
export function openPoll(api: PrometheusApi, now: () => number) {
  let withoutQueriesSince: number | undefined
  let targetsAt = -Infinity
  let allTargetsAt = -Infinity
  let poolsAt = -Infinity
  let pools: ReadonlySet<string> | undefined
  let writesAt = -Infinity
  let writes: ReadonlyMap<string, Writes> | undefined

  async function scrapesOf(window: number, signal: AbortSignal) {
    if (withoutQueriesSince !== undefined && elapsed(withoutQueriesSince, now()) < QUERIES_AGAIN) return undefined
    try {
      const result = await api.scrapes(window, signal)
      withoutQueriesSince = undefined
      return result
    } catch (error) {
      if (!isMissing(error)) throw error
      withoutQueriesSince = now()
      return undefined
    }
  }

  async function targetsOf(wanted: Wanted, alone: boolean, signal: AbortSignal) {
    const sinceAll = elapsed(allTargetsAt, now())
    const all = (alone && sinceAll >= TARGETS_LEAST) || sinceAll >= TARGETS_MOST || wanted.targets.length > ONE_BY_ONE
    if (elapsed(targetsAt, now()) < TARGETS_LEAST || (!all && wanted.targets.length === 0)) return undefined
    targetsAt = now()
    if (all) {
      const result = await api.targets(wanted.isSite, signal)
      allTargetsAt = now()
      return result
    }
    const some = await Promise.all(wanted.targets.map((name) => api.targets(wanted.isSite, signal, name)))
    return { targets: new Map(some.flatMap(({ targets }) => [...targets])), clock: some[0]?.clock ?? NaN }
  }

  async function readPools(wanted: Wanted, signal: AbortSignal): Promise<void> {
    const isOutdated = poolsAt < wanted.settledAt && wanted.settledAt <= now()
    if (elapsed(poolsAt, now()) < POOLS && !isOutdated) return
    poolsAt = now()
    pools = await api.pools(signal).catch((error: unknown) => {
      if (error instanceof Refused && error.status === 404) return undefined
      throw error
    })
  }

  async function readWrites(wanted: Wanted, alone: boolean, signal: AbortSignal): Promise<void> {
    if (wanted.writes !== true || alone) writes = undefined
    else if (elapsed(writesAt, now()) >= WRITES) {
      writes = await requestWrites(api, signal)
      writesAt = now()
    }
  }

  return {
    async poll(wanted: Wanted, signal: AbortSignal): Promise<Polled> {
      const found = await scrapesOf(wanted.window, signal)
      const alone = found === undefined
      const listed = await targetsOf(wanted, alone, signal)
      await readPools(wanted, signal)
      await readWrites(wanted, alone, signal)
      return {
        scrapes: found?.scrapes ?? new Map(),
        targets: listed?.targets ?? new Map(),
        writes,
        alone,
        pools,
        poolsAt,
        heard: found !== undefined || listed !== undefined,
        clock: found?.clock ?? listed?.clock ?? NaN,
      }
    },
  }
}

/** The query API alone: missing, forbidden, or its response is beyond all bounds, as where a site sends very many series `up`. */
const isMissing = (error: unknown): boolean =>
  isWithoutQueries(error) ||
  (error instanceof Refused && [403, 405, 422].includes(error.status)) ||
  (error instanceof RequestFailed && error.reason === "too_many_bytes")

/** Why Prometheus does not respond as it should. */
export interface Silence {
  readonly reason: string
  /** It runs, and reads its data. */
  readonly starting: boolean
}

export const silenceOf = (error: unknown): Silence => ({
  reason: error instanceof RequestFailed ? error.problem : explain(error),
  starting: error instanceof Refused && error.status === 503 && error.detail === "",
})
