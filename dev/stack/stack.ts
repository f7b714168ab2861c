import { setTimeout as delay } from "node:timers/promises"
import { defineError, explain } from "#core/errors.ts"
import { isFederated, readStatus, type SiteStatus, statusLine, statusTable } from "./federation.ts"
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

/** Starts everything; every component listens when this returns. */
export async function startStack(run: Run, count: number): Promise<Stack> {
  const sites = Promise.all(Array.from({ length: count }, (_, index) => startSite(run, index)))
  const [started, portal] = await Promise.all([sites, startPortal(run, sites)])
  return { sites: started, portal }
}

/**
 * Waits until the portal's Prometheus holds series of every site, and shows the progress. Throws NOT_FEDERATED when that
 * takes too long.
 */
export async function untilFederated(
  { sites, portal }: Stack,
  { processes, progress, signal }: Pick<Run, "progress" | "signal"> & { readonly processes: Pick<Processes, "log"> },
): Promise<readonly SiteStatus[]> {
  const names = sites.map(({ name }) => name)
  const seconds = 60 + 5 * names.length
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
