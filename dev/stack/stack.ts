import { setTimeout as delay } from "node:timers/promises"
import { defineError, explain } from "#core/errors.ts"
import { isFederated, readStatus, type SiteStatus, statusLine, statusTable } from "./federation.ts"
import type { BrokenSites } from "./broken-sites.ts"
import { siteName } from "./cloud.ts"
import { type Portal, startPortal } from "./portal.ts"
import { lastLines, type Processes } from "./processes.ts"
import type { Run } from "./run.ts"
import { type Site, startSite } from "./site.ts"

export const notFederated = defineError(
  "NOT_FEDERATED",
  500,
  "The portal does not hold the series of every site after {seconds} s:\n{table}The last lines of the portal's log:\n{log}",
)

export interface Stack {
  readonly sites: readonly Site[]
  readonly portal: Portal
}

export const noRoom = defineError("NO_ROOM", 500, "Memory is nearly used up after {index} of {sites} sites")
export const noSite = defineError("NO_SITE", 500, "No site is running: the reasons stand above")

export interface StartOptions {
  readonly sites: number
  /** Sites that are being started at the same time. */
  readonly workers: number
  /** Whether the machine has room for one more. */
  readonly hasRoom: () => boolean
}

/**
 * Starts everything; every component listens when this returns. A site that does not start is reported and left out,
 * unless the run is strict. Throws NO_SITE.
 */
export async function startStack(run: Run, options: StartOptions, broken: BrokenSites): Promise<Stack> {
  const sites = startSites(run, options, (index) => startSite(run, index))
  const [started, portal] = await Promise.all([sites, startPortal(run, sites, broken)])
  return { sites: started, portal }
}

/** Starts a few sites at a time, as long as there is room. */
export async function startSites<T>(
  run: Pick<Run, "progress" | "strict" | "signal">,
  { sites, workers, hasRoom }: StartOptions,
  start: (index: number) => Promise<T>,
): Promise<readonly T[]> {
  const started = new Map<number, T>()
  let next = 0
  let isFull = false
  const work = async (): Promise<void> => {
    while (next < sites && !isFull) {
      run.signal.throwIfAborted()
      const index = next
      if (!hasRoom()) {
        isFull = true
        if (run.strict) throw noRoom({ index, sites })
        run.progress.say(`Memory is nearly used up: ${index} of ${sites} sites are started, and no more.`)
        return
      }
      next += 1
      try {
        started.set(index, await start(index))
      } catch (error) {
        if (run.strict || run.signal.aborted) throw error
        run.progress.say(`${siteName(index)} is left out: ${explain(error)}`)
      }
    }
  }
  await Promise.all(Array.from({ length: workers }, work))
  if (started.size === 0) throw noSite({})
  return [...started].toSorted(([a], [b]) => a - b).map(([, site]) => site)
}

/**
 * Waits until the portal's Prometheus holds series of every site, and shows the progress. Throws NOT_FEDERATED when that
 * takes too long.
 */
export async function untilFederated(
  { sites, portal }: Stack,
  {
    processes,
    progress,
    signal,
    interval,
  }: Pick<Run, "progress" | "signal" | "interval"> & {
    readonly processes: Pick<Processes, "log">
  },
): Promise<readonly SiteStatus[]> {
  const names = sites.map(({ name }) => name)
  const seconds = 60 + 5 * names.length + 3 * interval
  const end = performance.now() + seconds * 1000
  for (;;) {
    const statuses = await readStatus(portal.prometheus, names, signal).catch((error: unknown) => explain(error))
    signal.throwIfAborted()
    // it listens before it is ready, and responds slowly while many sites start
    const isKnown = typeof statuses !== "string"
    if (isKnown && statuses.every(isFederated)) return statuses
    progress.update(isKnown ? statusLine(statuses) : `waiting for the portal's Prometheus: ${statuses}`)
    if (performance.now() > end) {
      const log = lastLines(await processes.log("portal"))
      throw notFederated({ seconds, table: isKnown ? statusTable(statuses) : `${statuses}\n`, log })
    }
    await delay(200, undefined, { signal })
  }
}
