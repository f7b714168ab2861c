import { RequestFailed } from "#core/http/client.ts"
import type { ShardBoard } from "./board.ts"
import { elapsed } from "./elapsed.ts"
import { type PrometheusApi, Refused } from "./prometheus-api.ts"
import { readSeries, Unreadable } from "./scrapes.ts"
import { openVisibility } from "./visible.ts"

/** Seconds between two times, and after one that failed. */
const RARELY = 600
const AGAIN = 60

/** Of our own scrapes alone: see site:up in portal/prometheus/rules/sites.yml. */
const SERIES_DAY_AGO =
  'max by (site) (scrape_samples_scraped{site!=""} offset 24h and on (site, job) label_replace(group by (site) (up{site!=""} offset 24h), "job", "$1", "site", "(.+)"))'
/** Of Prometheus, where it scrapes itself as the shipped base configuration has it. */
const MAX_FILES = 'min(process_max_fds{job="prometheus",site=""})'

/** Queries besides the poll, from time to time: none of them decides whether Prometheus responds. `now`: seconds. */
export function openRareQueries(api: PrometheusApi, board: ShardBoard, now: () => number) {
  const visibility = openVisibility(api)
  let queriedAt = -Infinity
  let pause = RARELY
  let maxFiles: number | undefined

  async function queryRarely(signal: AbortSignal): Promise<void> {
    if (elapsed(queriedAt, now()) < pause) return
    queriedAt = now()
    pause = AGAIN
    const dayAgo = readSeries(await api.query(SERIES_DAY_AGO, signal))
    board.setDayAgo(new Map(dayAgo.map(({ labels: { site = "" }, value }) => [site, value])))
    maxFiles = readSeries(await api.query(MAX_FILES, signal))[0]?.value
    pause = RARELY
  }

  let underWay: Promise<void> | undefined

  async function queryAll(clock: number, signal: AbortSignal): Promise<void> {
    try {
      board.setVisible(await visibility(board.tracked(), clock, signal))
      await queryRarely(signal)
    } catch (error) {
      // tried again later: the next poll shows whether Prometheus is in trouble
      const isIts = error instanceof RequestFailed || error instanceof Refused || error instanceof Unreadable
      if (!isIts) throw error
    }
  }

  return {
    /** Begins, unless it is under way: no poll waits for it. `clock`: seconds of Prometheus' clock. */
    start(clock: number, signal: AbortSignal): void {
      underWay ??= queryAll(clock, signal).finally(() => (underWay = undefined))
    },
    close: () => underWay ?? Promise.resolve(),
    maxFiles: () => maxFiles,
  }
}
