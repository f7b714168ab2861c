import { setTimeout as delay } from "node:timers/promises"
import { defineError, explain } from "#core/errors.ts"
import { fetchText } from "#core/http/client.ts"
import { STATE_NAMES, type State } from "../../portal/status/overview.ts"
import type { BrokenSite } from "./broken-sites.ts"
import { shorten } from "./federation.ts"
import type { Run } from "./run.ts"

export const notDiagnosed = defineError(
  "NOT_DIAGNOSED",
  500,
  "The portal does not show the expected causes after {seconds} s:\n{text}",
)

/** Of `/api/v1/sites`. */
interface Shown {
  readonly name: string
  readonly state: State
  readonly cause: string | null
  readonly reason: string | null
  readonly todo: string | null
}

/** Seconds until sites are checked, and between two checks: what no scrape shows, the portal looks for only now and then. */
const CHECK = { first: 3, next: 11 }

type Wanted = Pick<BrokenSite, "name" | "cause">

/** Waits until the portal shows the cause of each broken site; returns how it says so. Throws NOT_DIAGNOSED. */
export async function untilDiagnosed(
  portal: string,
  broken: readonly Wanted[],
  { progress, signal, interval }: Pick<Run, "progress" | "signal" | "interval">,
  now = (): number => performance.now(),
): Promise<string> {
  const seconds = 60 + 6 * interval
  const end = now() + seconds * 1000
  let due = now() + CHECK.first * 1000
  let isChecking = false
  for (;;) {
    const shown = await readShown(portal, signal).catch((error: unknown) => explain(error))
    signal.throwIfAborted()
    const found = (site: Wanted): Shown | undefined =>
      typeof shown === "string" ? undefined : shown.find(({ name }) => name === site.name)
    const waiting = broken.filter((site) => !isAsWanted(site, found(site)))
    const text = typeof shown === "string" ? `${shown}\n` : broken.map((site) => describe(site, found(site))).join("")
    if (waiting.length === 0) return text
    progress.update(`waiting for the diagnosis of ${shorten(waiting.map(({ name }) => name))}`)
    if (now() > end) throw notDiagnosed({ seconds, text })
    if (!isChecking && now() > due) {
      due = now() + CHECK.next * 1000
      isChecking = true
      void checkAll(portal, waiting, signal).then(() => (isChecking = false))
    }
    await delay(200, undefined, { signal })
  }
}

const isAsWanted = ({ cause }: Wanted, shown: Shown | undefined): boolean => shown?.cause === cause

/** As the page has it: the state, the reason and what to do. */
function describe({ name, cause }: Wanted, shown: Shown | undefined): string {
  if (shown === undefined) return `${name}: not listed\n`
  const expected = isAsWanted({ name, cause }, shown) ? "" : ` (expected ${cause})`
  const lines = [shown.reason, shown.todo].flatMap((line) => (line === null ? [] : [`  ${line}\n`]))
  return `${name}: ${STATE_NAMES[shown.state]}, ${shown.cause ?? "no cause"}${expected}\n${lines.join("")}`
}

/** As "Check now" of the page does; a check that is refused is made later. */
async function checkAll(portal: string, sites: readonly Wanted[], signal: AbortSignal): Promise<void> {
  const checks = sites.map(({ name }) =>
    fetchText(new URL(`${portal}/api/v1/sites/${name}/check`), { method: "POST", deadline: 20, limit: 65_536, signal }),
  )
  await Promise.allSettled(checks)
}

async function readShown(portal: string, signal: AbortSignal): Promise<readonly Shown[]> {
  const url = new URL(`${portal}/api/v1/sites`)
  const response = await fetchText(url, { deadline: 5, limit: 16_777_216, signal })
  if (response.status !== 200) throw new Error(`${url.pathname} of the portal responded ${response.status}`)
  return (JSON.parse(response.body) as { readonly sites: readonly Shown[] }).sites
}
