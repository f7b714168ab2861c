/** How long one that failed is tried after the others, in milliseconds: longer than most scrapes are apart. */
const REMEMBERED = 60_000

export type UpstreamHealth = ReturnType<typeof rememberHealth>

/** Which upstreams failed last, so that not every scrape waits for one that is down. */
export function rememberHealth(now: () => number) {
  const known = new Map<string, { readonly up: boolean; readonly at: number }>()
  /** When each sent its last good response. */
  const good = new Map<string, number>()
  let kept: ReadonlySet<string> = new Set()
  return {
    now,
    /** Those that are not known to be down first; all of them, since one that was down may be the only one that is up. */
    healthiestFirst(upstreams: readonly URL[]): readonly URL[] {
      const since = now() - REMEMBERED
      const down = (upstream: URL): boolean => {
        const state = known.get(upstream.href)
        return state !== undefined && !state.up && state.at > since
      }
      return [...upstreams.filter((one) => !down(one)), ...upstreams.filter(down)]
    },
    report(upstream: URL, up: boolean): void {
      if (kept.has(upstream.href)) known.set(upstream.href, { up, at: now() })
    },
    /** It sent a good response. */
    worked(upstream: URL): void {
      this.report(upstream, true)
      if (kept.has(upstream.href)) good.set(upstream.href, now())
    },
    /** Whether it sent a good response after this time: what failed meanwhile is no fault of its own. */
    workedSince: ({ href }: URL, since: number): boolean => (good.get(href) ?? -Infinity) >= since,
    /** Of those that were tried so far. */
    states: () => new Map([...known].map(([href, { up }]) => [href, up])),
    /** Forgets all others, and ignores what is reported of them later. */
    keep(upstreams: readonly URL[]): void {
      kept = new Set(upstreams.map(({ href }) => href))
      for (const states of [known, good]) for (const href of states.keys()) if (!kept.has(href)) states.delete(href)
    },
  }
}

/** Without user and password. */
export function showUpstream({ origin, pathname }: URL): string {
  return origin + (pathname === "/" ? "" : pathname)
}
