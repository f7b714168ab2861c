import type { Closable } from "#core/closable.ts"
import type { ProbeReport } from "../probe-report.ts"

/** What is known of a site when it may be probed. */
export interface ProbeTrigger {
  /** Probed again and again while it is so. */
  readonly failing: boolean
  /** Probed at once. */
  readonly changed: boolean
}

/** What came of a request to probe a site now. */
export type Checked =
  | { readonly kind: "checked"; readonly report: ProbeReport }
  | { readonly kind: "too_soon"; readonly retryAfter: number }
  | { readonly kind: "busy"; readonly retryAfter: number }

export interface ScheduleOptions {
  /** Never rejects. Undefined where there is no such site any more. */
  readonly probe: (site: string, signal: AbortSignal) => Promise<ProbeReport | undefined>
  /** Called with every report. */
  readonly reported: (report: ProbeReport) => void
  /** Milliseconds. */
  readonly now: () => number
}

/** Decides when sites are probed: few at once, and none too often. */
export interface ProbeSchedule extends Closable {
  /** Of all sites there are, with each poll, such as once a second. Others are probed no more. */
  update(triggers: ReadonlyMap<string, ProbeTrigger>): void
  /** Probes a site before others, and at most once in 10 s. Where a probe is under way, its result is used. Never rejects. */
  check(site: string, signal: AbortSignal): Promise<Checked>
}

/** At the same time. */
const MOST_PROBES = 8
/** Seconds between the begins of two probes of a site that fails, and of any. */
const WHILE_FAILING = 60
const LEAST = 10
/** Checks that wait for their turn; beyond them the portal is busy. */
const MOST_CHECKS = 32

interface Waiting {
  readonly site: string
  /** Checks go first, changes next, the others in the order in which they are due. */
  readonly rank: 0 | 1 | 2
  readonly since: number
}

export function createProbeSchedule({ probe, reported, now }: ScheduleOptions): ProbeSchedule {
  const ending = new AbortController()
  const begun = new Map<string, number>()
  const running = new Map<string, Promise<ProbeReport | undefined>>()
  const waiting = new Map<string, Waiting>()
  const checks = new Map<string, ((report: ProbeReport | undefined) => void)[]>()

  /** Where the clock was set back, what was begun by it is as good as long ago. */
  function secondsSince(site: string): number {
    const seconds = (now() - (begun.get(site) ?? -Infinity)) / 1000
    return seconds < 0 ? Infinity : seconds
  }

  function respond(site: string, report: ProbeReport | undefined): void {
    for (const resolve of checks.get(site) ?? []) resolve(report)
    checks.delete(site)
  }

  function enqueue(site: string, rank: Waiting["rank"]): void {
    const queued = waiting.get(site)
    if (queued !== undefined && queued.rank <= rank) return
    waiting.set(site, { site, rank, since: queued?.since ?? begun.get(site) ?? -Infinity })
  }

  function start(): void {
    while (running.size < MOST_PROBES && !ending.signal.aborted) {
      const next = [...waiting.values()]
        .filter(({ site }) => !running.has(site) && secondsSince(site) >= LEAST)
        .reduce<Waiting | undefined>(
          (first, one) => (first === undefined || isBefore(one, first) ? one : first),
          undefined,
        )
      if (next === undefined) return
      waiting.delete(next.site)
      run(next.site)
    }
  }

  function run(site: string): void {
    begun.set(site, now())
    const under = probe(site, ending.signal)
    running.set(site, under)
    void under.then((report) => {
      running.delete(site)
      if (report !== undefined && !ending.signal.aborted) reported(report)
      respond(site, report)
      start()
    })
  }

  return {
    update(triggers) {
      // a paused site is none of them, and can be checked all the same
      for (const site of begun.keys()) if (!triggers.has(site) && secondsSince(site) >= LEAST) begun.delete(site)
      for (const { site, rank } of waiting.values()) {
        const trigger = triggers.get(site)
        // one that delivers again need not be probed, unless a check waits for it or it has just changed
        if (trigger === undefined || (rank === 2 && !trigger.failing)) waiting.delete(site)
        if (trigger === undefined) respond(site, undefined)
      }
      for (const [site, { failing, changed }] of triggers) {
        if (changed) enqueue(site, 1)
        else if (failing && secondsSince(site) >= WHILE_FAILING) enqueue(site, 2)
      }
      start()
    },
    async check(site, signal) {
      if (!running.has(site)) {
        const since = secondsSince(site)
        if (since < LEAST) return { kind: "too_soon", retryAfter: Math.ceil(LEAST - since) }
        if (!checks.has(site) && checks.size >= MOST_CHECKS) return { kind: "busy", retryAfter: LEAST }
        enqueue(site, 0)
      }
      const { promise, resolve } = Promise.withResolvers<ProbeReport | undefined>()
      checks.set(site, [...(checks.get(site) ?? []), resolve])
      const leave = (): void => resolve(undefined)
      signal.addEventListener("abort", leave, { once: true })
      if (signal.aborted || ending.signal.aborted) leave()
      start()
      const report = await promise
      signal.removeEventListener("abort", leave)
      return report === undefined ? { kind: "busy", retryAfter: LEAST } : { kind: "checked", report }
    },
    async close() {
      ending.abort()
      for (const site of checks.keys()) respond(site, undefined)
      await Promise.all(running.values())
    },
  }
}

const isBefore = (one: Waiting, other: Waiting): boolean =>
  one.rank === other.rank ? one.since < other.since : one.rank < other.rank
