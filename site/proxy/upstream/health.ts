/** How long one that failed is tried after the others, in milliseconds: longer than most scrapes are apart. */
const REMEMBERED = 60_000

export type UpstreamHealth = ReturnType<typeof rememberHealth>

/** Which upstreams failed last, so that not every scrape waits for one that is down. */
export function rememberHealth(now: () => number) {
  const known = new Map<string, { readonly up: boolean; readonly at: number }>()
  let kept: ReadonlySet<string> = new Set()
  return {
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
    /** Of those that were tried so far. */
    states: () => new Map([...known].map(([href, { up }]) => [href, up])),
    /** Forgets all others, and ignores what is reported of them later. */
    keep(upstreams: readonly URL[]): void {
      kept = new Set(upstreams.map(({ href }) => href))
      for (const href of known.keys()) if (!kept.has(href)) known.delete(href)
    },
  }
}

/** Without user and password. */
export function showUpstream({ origin, pathname }: URL): string {
  return origin + (pathname === "/" ? "" : pathname)
}
