import { limitConcurrency } from "#core/limits/concurrency.ts"
import { probe } from "../diagnosis/probe/probe.ts"
import type { ProbeReport } from "../diagnosis/probe-report.ts"
import type { ProbeTarget } from "../diagnosis/probe/visit.ts"
import type { Key } from "./key.ts"

/** A site at which a key is tried, with the token that it accepts now. */
export interface TrialSite {
  readonly target: ProbeTarget
  readonly signedBy: (key: Key) => Promise<string>
}

/** Requests at the same time. */
const MOST = 8
/** Seconds between two rounds, in which those are tried that are not known to know the key. */
const EVERY = 60

/**
 * Tries the next key at each site before it signs: a request with a token of it, as a scrape is. Only a site that refuses the
 * next key and accepts the present one speaks against it; one that cannot be reached says nothing.
 */
export function openTrial(sitesToTry: () => readonly TrialSite[], request = probe) {
  const ending = new AbortController()
  const limited = limitConcurrency(MOST)
  let kid: string | undefined
  let known = new Set<string>()
  let refusing: readonly string[] = []
  let last = -Infinity
  let isTried = false
  let round: Promise<void> | undefined

  const send = ({ target }: TrialSite, token: string): Promise<ProbeReport> => {
    const contents = new Map([...target.contents, [target.site.secretFile ?? "", token]])
    return request({ ...target, contents }, { signal: ending.signal })
  }

  async function accepts(site: TrialSite, key: Key): Promise<boolean | undefined> {
    const report = await send(site, await site.signedBy(key))
    if (report.stages.some(({ stage, outcome }) => stage === "token" && outcome === "passed")) return true
    return report.findings.some(({ cause }) => cause.id === "unauthorized") ? false : undefined
  }

  async function tryAll(next: Key, present: Key | undefined): Promise<void> {
    const sites = sitesToTry().filter(({ target }) => !known.has(target.site.name))
    const verdicts = await Promise.all(
      sites.map((site) =>
        limited(async () => {
          const verdict = await accepts(site, next)
          if (verdict === true) known.add(site.target.site.name)
          const refuses = verdict === false && present !== undefined && (await accepts(site, present)) === true
          return refuses ? [site.target.site.name] : []
        }),
      ),
    )
    if (ending.signal.aborted || kid !== next.kid) return
    refusing = verdicts.flat()
    isTried = true
  }

  return {
    /** Tries the next key where that is due; time in seconds. It goes on in the background. */
    tick(next: Key | undefined, present: Key | undefined, now: number): void {
      if (next?.kid !== kid) [kid, known, refusing, last, isTried] = [next?.kid, new Set(), [], -Infinity, false]
      if (next === undefined || round !== undefined || now - last < EVERY) return
      last = now
      round = tryAll(next, present).finally(() => (round = undefined))
    },
    /** Sites that speak against the next key. */
    refusing: () => refusing,
    /** Until all were tried once, nothing speaks for it. */
    isRefused: (key: string): boolean => key !== kid || !isTried || refusing.length > 0,
    /** Resolves when the round under way is over. */
    settled: (): Promise<void> => round ?? Promise.resolve(),
    async close(): Promise<void> {
      ending.abort()
      await round
    },
  }
}
