import assert from "node:assert/strict"
import { test } from "node:test"
import { openArrivals } from "./arrivals.ts"
import type { Polled } from "./poll.ts"
import { listedSite } from "./testing.ts"
import { newlyListed, track } from "./tracked.ts"

const scrape = (at: number, ok = true) => ({ at, ok, seconds: 0.1, series: ok ? 5 : 0, kept: 5 })
const target = (at: number, health: "up" | "down") => ({ at, health, error: "", seconds: 0.1 })

/** Which sites were found to deliver, of those that move to b since second 1000. */
function watch() {
  const found: string[] = []
  const move = (site: string, to: string) => ({
    site,
    to,
    from: ["a"],
    interval: 30,
    since: 1000,
    delivered: undefined,
  })
  const moment = { now: 0, ahead: 0, known: true, readySince: 0 }
  const arrivals = openArrivals(
    "b",
    {
      ownerOf: () => "a",
      moves: () => [move("x", "b"), move("y", "a")],
      delivers: (site, shard) => found.push(`${site} ${shard}`) > 0,
    },
    { get: (name) => track(listedSite(name, { timeout: 20 }), newlyListed(moment), "a", 0) },
  )
  const take = (polled: Partial<Polled>, ahead = 0): readonly string[] => {
    const nothing = { pools: undefined, poolsAt: 0, heard: true, clock: 0, alone: false }
    arrivals.take({ scrapes: new Map(), targets: new Map(), ...nothing, ...polled }, ahead)
    return found.splice(0)
  }
  return { ...arrivals, take }
}

test("notes that a site delivers at its new shard, by scrapes of since it moves", () => {
  const { take, window, recordOf } = watch()
  assert.equal(window(), 23)
  const scrapes = (...list: readonly ReturnType<typeof scrape>[]) => ({
    scrapes: new Map(["x", "y"].map((name) => [name, list])),
  })
  assert.deepEqual(take(scrapes(scrape(990))), [])
  assert.deepEqual(take(scrapes(scrape(1010, false))), [])
  assert.equal(recordOf("x")?.failures, 1)
  assert.deepEqual(take(scrapes(scrape(1040))), ["x b"])
  assert.equal(recordOf("x")?.delivered, 1040)
})

test("goes by the clock of that shard", () => {
  assert.deepEqual(watch().take({ scrapes: new Map([["x", [scrape(1500)]]]) }, 600), [])
  assert.deepEqual(watch().take({ scrapes: new Map([["x", [scrape(700)]]]) }, -600), ["x b"])
})

test("goes by the list of targets alone where that has no query API, as an agent", () => {
  const { take } = watch()
  const targets = (at: number, health: "up" | "down") => ({
    targets: new Map([["x", target(at, health)]]),
    alone: true,
  })
  assert.deepEqual(take(targets(1005, "down")), [])
  assert.deepEqual(take(targets(1035, "up")), ["x b"])
})
