/** How long one that failed is tried after the others, in milliseconds: longer than most scrapes are apart. */
const REMEMBERED = 60_000

/** The part of a response's time, and the most seconds: scrapers that leave at their own timeout must not hide one that hangs. */
const SUSPECTED = { part: 0.1, most: 3 }

/** Seconds after which an upstream without a whole response is suspected to hang, although no client waits longer. */
export const suspectedAfter = (timeout: number): number => Math.min(SUSPECTED.most, timeout * SUSPECTED.part)

export type UpstreamHealth = ReturnType<typeof rememberHealth>

interface State {
  /** In a row. */
  readonly failures: number
  /** Milliseconds: until then others are tried first. */
  readonly until: number
  /** A request is finding out whether it is up again. */
  readonly isTried: boolean
}

/**
 * Which upstreams failed last, so that not every request waits for one that is down. `pauseOf`: milliseconds for which one that
 * failed so often in a row is tried after the others.
 */
export function rememberHealth(now: () => number, pauseOf: (failures: number) => number = () => REMEMBERED) {
  const known = new Map<string, State>()
  /** When each sent its last good response. */
  const good = new Map<string, number>()
  let kept: ReadonlySet<string> = new Set()
  const paused = (failures: number, isTried: boolean): State => ({
    failures,
    until: now() + pauseOf(failures),
    isTried,
  })
  return {
    now,
    /** Those that are not known to be down first; all of them, since one that was down may be the only one that is up. */
    healthiestFirst(upstreams: readonly URL[]): readonly URL[] {
      const time = now()
      const down = ({ href }: URL): boolean => (known.get(href)?.until ?? 0) > time
      return upstreams.length === 1 ? upstreams : [...upstreams.filter((one) => !down(one)), ...upstreams.filter(down)]
    },
    /** A request is about to be sent there: where it was down, the others pass it by until that is known to be over. */
    trying({ href }: URL): void {
      const state = known.get(href)
      if (state !== undefined && state.failures > 0) known.set(href, paused(state.failures, true))
    },
    report({ href }: URL, up: boolean): void {
      if (!kept.has(href)) return
      const { failures, until, isTried } = known.get(href) ?? UP
      // of many requests that fail together, one counts
      const isFirst = failures === 0 || isTried || until <= now()
      known.set(href, up ? UP : paused(isFirst ? failures + 1 : failures, false))
    },
    /** It sent a good response. */
    worked(upstream: URL): void {
      this.report(upstream, true)
      if (kept.has(upstream.href)) good.set(upstream.href, now())
    },
    /** Whether it sent a good response after this time: what failed meanwhile is no fault of its own. */
    workedSince: ({ href }: URL, since: number): boolean => (good.get(href) ?? -Infinity) >= since,
    /** Of those that were tried so far. */
    states: () => new Map([...known].map(([href, { failures }]) => [href, failures === 0])),
    /** Forgets all others, and ignores what is reported of them later. */
    keep(upstreams: readonly URL[]): void {
      kept = new Set(upstreams.map(({ href }) => href))
      for (const states of [known, good]) for (const href of states.keys()) if (!kept.has(href)) states.delete(href)
    },
  }
}

const UP: State = { failures: 0, until: 0, isTried: false }

/** Without user and password. */
export function showUpstream({ origin, pathname }: URL): string {
  return origin + (pathname === "/" ? "" : pathname)
}
