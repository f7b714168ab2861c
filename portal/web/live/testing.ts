import type { Overview, SiteStatus, StatusSource } from "../../status/overview.ts"
import type { Views } from "./changes.ts"
import type { Clock } from "./clock.ts"

const START = new Date("2026-11-30T14:00:00Z")

/** A site that delivers, or what is given. */
export function siteStatus(name: string, changed: Partial<SiteStatus> = {}): SiteStatus {
  return {
    name,
    labels: { location: `city of ${name}` },
    url: `https://${name}.example.org`,
    state: "ok",
    lastState: "ok",
    cause: null,
    causeTitle: null,
    reason: null,
    todo: null,
    since: START,
    lastDelivery: START,
    series: 100,
    seriesDayAgo: 100,
    durationSeconds: 0.2,
    timeoutSeconds: 30,
    intervalSeconds: 30,
    day: [],
    dayEnds: START,
    shard: "prometheus",
    ...changed,
  }
}

/** Sites that change when a test says so. */
export function changingSource(...first: readonly SiteStatus[]) {
  let sites = first
  const listeners = new Set<(names: ReadonlySet<string>) => void>()
  const source: StatusSource = {
    current: (): Overview => ({
      asOf: START,
      sites,
      banners: [],
      configConfirmed: START,
      ruleFiles: [],
      prometheusSeen: START,
    }),
    site: () => undefined,
    check: () => Promise.resolve({ kind: "unknown_site" }),
    subscribe(changed) {
      listeners.add(changed)
      return () => void listeners.delete(changed)
    },
  }
  return {
    source,
    listeners: () => listeners.size,
    /** Of these sites something else than the row changed. */
    touch: (...names: readonly string[]): void => {
      for (const changed of listeners) changed(new Set(names))
    },
    set: (...next: readonly SiteStatus[]): void => {
      sites = next
      for (const changed of listeners) changed(new Set(next.map(({ name }) => name)))
    },
  }
}

export const views: Views = {
  row: ({ name, state, reason }) => `<tr>${name} ${state} ${reason ?? ""}</tr>`,
  summary: ({ sites }) => ({
    title: `${sites.filter(({ state }) => state === "down").length} down`,
    icon: "/ok.svg",
    parts: { headline: `<b>${sites.length}</b>` },
  }),
}

/** Stands still until a test moves it. */
export function handClock(): Clock & { advance(milliseconds: number): void; waiting(): number } {
  let time = START.getTime()
  let waiting: { at: number; run: () => void }[] = []
  return {
    now: () => time,
    waiting: () => waiting.length,
    after(milliseconds, run) {
      const timer = { at: time + milliseconds, run }
      waiting.push(timer)
      return () => void (waiting = waiting.filter((other) => other !== timer))
    },
    advance(milliseconds) {
      const end = time + milliseconds
      for (;;) {
        const [next] = waiting.filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at)
        if (next === undefined) break
        waiting = waiting.filter((other) => other !== next)
        time = next.at
        next.run()
      }
      time = end
    },
  }
}
