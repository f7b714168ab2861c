import assert from "node:assert/strict"
import { test } from "node:test"
import type { PrometheusApi } from "./prometheus-api.ts"
import { NO_SCRAPES, withScrape } from "./record.ts"
import type { Scrape } from "./scrapes.ts"
import { listedSite } from "./testing.ts"
import { newlyListed, track, type Tracked } from "./tracked.ts"
import { openVisibility } from "./visible.ts"

const NOW = 1_000_000
const { signal } = new AbortController()
const moment = { now: NOW * 1000, ahead: 0, known: true, readySince: 0 }

/** After a scrape so many seconds ago. */
function scraped(ago: number, about: Partial<Scrape> = {}, state: Tracked["state"] = "ok"): Tracked {
  const scrape = { at: NOW - ago, ok: true, seconds: 1, series: 5, kept: 5, ...about }
  return {
    ...track(listedSite("a"), newlyListed(moment), "prometheus", 0),
    state,
    record: withScrape(NO_SCRAPES, scrape, 30),
  }
}

/** Which of the sites are looked at, at these seconds from now. */
async function lookedAt(sites: Readonly<Record<string, Tracked>>, ...seconds: readonly number[]) {
  const query = (): Promise<string> => Promise.resolve('{"status":"success","data":{"result":[]}}')
  const look = openVisibility({ query } as unknown as PrometheusApi)
  const found: string[] = []
  for (const at of seconds) {
    const now = NOW + at
    const anew = Object.entries(sites).map(([name, one]) => {
      const { last } = one.record
      return [
        name,
        last === undefined ? one : { ...one, record: { ...one.record, last: { ...last, at: last.at + at } } },
      ] as const
    })
    for (const name of (await look(new Map(anew), now, signal)).keys()) found.push(`${name} ${at}`)
  }
  return found
}

test("looks at a site every 5 minutes, and at one that is stale every 30 seconds, to see that it is over", async () => {
  assert.deepEqual(await lookedAt({ a: scraped(5) }, 0, 6, 30, 294, 300), ["a 0", "a 300"])
  assert.deepEqual(await lookedAt({ a: scraped(5, {}, "stale") }, 0, 6, 24, 30, 36, 60), ["a 0", "a 30", "a 60"])
})

test("looks soon after a scrape alone: later, Prometheus would show nothing of a site that delivers", async () => {
  assert.deepEqual(await lookedAt({ a: scraped(201) }, 0), ["a 0"])
  assert.deepEqual(await lookedAt({ a: scraped(202) }, 0), [])
})

test("looks at no site that fails, or whose scrape kept nothing, or does not say", async () => {
  const failed = scraped(5, { ok: false })
  assert.deepEqual(
    await lookedAt({ a: failed, b: scraped(5, { kept: 0 }), c: scraped(5, { kept: null }) }, 0, 6, 12),
    [],
  )
})

test("looks at few sites at a time, in steps of 6 seconds, at those first that wait for longest", async () => {
  const sites = Object.fromEntries(["a", "b", "c"].map((name) => [name, scraped(5)]))
  assert.deepEqual(await lookedAt(sites, 0, 5, 6, 12, 18), ["a 0", "b 6", "c 12"])
})
