import assert from "node:assert/strict"
import { setImmediate as turn } from "node:timers/promises"
import { test } from "node:test"
import type { ProbeReport } from "../probe-report.ts"
import { createProbeSchedule, type ProbeTrigger } from "./schedule.ts"

const DOWN: ProbeTrigger = { failing: true, changed: false }
const CHANGED: ProbeTrigger = { failing: true, changed: true }
const OK: ProbeTrigger = { failing: false, changed: false }
const { signal } = new AbortController()

/** A schedule with a clock of its own, whose probes end when the test says so. */
function start() {
  let seconds = 1000
  const begun: string[] = []
  const reported: string[] = []
  const ends = new Map<string, () => void>()
  const reportOf = (site: string): ProbeReport => ({ site, at: new Date(0), stages: [], findings: [] })
  const schedule = createProbeSchedule({
    probe(site, ending) {
      begun.push(site)
      const { promise, resolve } = Promise.withResolvers<ProbeReport | undefined>()
      ends.set(site, () => resolve(reportOf(site)))
      ending.addEventListener("abort", () => resolve(reportOf(site)))
      return promise
    },
    reported: ({ site }) => void reported.push(site),
    now: () => seconds * 1000,
  })
  return {
    schedule,
    reported,
    wait: (more: number) => (seconds += more),
    update: (triggers: Readonly<Record<string, ProbeTrigger>>) => schedule.update(new Map(Object.entries(triggers))),
    /** Those that were begun since the last time. */
    begun: () => begun.splice(0),
    end: async (...sites: readonly string[]) => {
      for (const site of sites) ends.get(site)?.()
      await turn()
    },
  }
}

const names = (count: number): string[] => Array.from({ length: count }, (_, index) => `site-${index}`)
const all = (sites: readonly string[], trigger: ProbeTrigger) =>
  Object.fromEntries(sites.map((site) => [site, trigger]))

test("probes a site at once when it changes, and once a minute while it fails", async () => {
  const { update, begun, end, wait } = start()
  update({ a: CHANGED })
  assert.deepEqual(begun(), ["a"])
  await end("a")
  for (const [more, expected] of [
    [59, []],
    [1, ["a"]],
  ] as const) {
    wait(more)
    update({ a: DOWN })
    assert.deepEqual(begun(), expected)
  }
})

test("does not probe a site that delivers", () => {
  const { update, begun } = start()
  update({ a: OK })
  assert.deepEqual(begun(), [])
})

test("checks a site that is watched no longer, such as a paused one, at most once in 10 s", async () => {
  const { schedule, update, begun, end, wait } = start()
  update({ a: OK })
  for (const more of [10, 10]) {
    wait(more)
    update({})
    const checked = schedule.check("a", signal)
    await end("a")
    assert.equal((await checked).kind, "checked")
    wait(1)
    update({})
    const again = schedule.check("a", signal)
    await end("a")
    assert.deepEqual(await again, { kind: "too_soon", retryAfter: 9 })
  }
  assert.deepEqual(begun(), ["a", "a"])
})

test("probes a site that changes again and again at most once in 10 s", async () => {
  const { update, begun, end, wait } = start()
  update({ a: CHANGED })
  await end("a")
  begun()
  wait(9)
  update({ a: CHANGED })
  assert.deepEqual(begun(), [])
  wait(1)
  update({ a: DOWN })
  assert.deepEqual(begun(), ["a"])
})

test("goes on where the clock is set back", async () => {
  const { update, begun, end, wait } = start()
  update({ a: CHANGED })
  await end("a")
  begun()
  wait(-900)
  update({ a: DOWN })
  assert.deepEqual(begun(), ["a"])
})

test("probes 8 sites at once, and the next as soon as one ends", async () => {
  const { update, begun, end } = start()
  const sites = names(10)
  update(all(sites, CHANGED))
  assert.deepEqual(begun(), sites.slice(0, 8))
  await end("site-3", "site-0")
  assert.deepEqual(begun(), ["site-8", "site-9"])
})

test("probes changes before what fails for long, and checks before both", async () => {
  const { schedule, update, begun, end, wait } = start()
  const busy = names(8)
  update({ ...all(busy, CHANGED), long: OK, fresh: OK, checked: OK })
  begun()
  wait(60)
  update({ ...all(busy, OK), long: DOWN, fresh: CHANGED, checked: OK })
  const check = schedule.check("checked", signal)
  for (const [ended, expected] of [
    ["site-0", ["checked"]],
    ["site-1", ["fresh"]],
    ["site-2", ["long"]],
  ] as const) {
    await end(ended)
    assert.deepEqual(begun(), expected)
  }
  await end("checked")
  assert.equal((await check).kind, "checked")
})

test("does not begin with a site that delivers again or is no longer there", async () => {
  const { update, begun, end } = start()
  const busy = all(names(8), CHANGED)
  update({ ...busy, a: DOWN, b: DOWN })
  begun()
  update({ ...busy, a: OK })
  await end(...names(8))
  assert.deepEqual(begun(), [])
})

test("a check is made at most once in 10 s for each site, and says when it may be", async () => {
  const { schedule, begun, end, wait } = start()
  const first = schedule.check("a", signal)
  await end("a")
  assert.equal((await first).kind, "checked")
  wait(3.5)
  assert.deepEqual(await schedule.check("a", signal), { kind: "too_soon", retryAfter: 7 })
  const other = schedule.check("b", signal)
  await end("b")
  assert.equal((await other).kind, "checked")
  assert.deepEqual(begun(), ["a", "b"])
})

test("those who check a site at the same time get the result of one probe", async () => {
  const { schedule, reported, begun, end } = start()
  const checks = [schedule.check("a", signal), schedule.check("a", signal)]
  await end("a")
  const results = await Promise.all(checks)
  assert.deepEqual(
    results.map((result) => result.kind === "checked" && result.report.site),
    ["a", "a"],
  )
  assert.deepEqual([begun(), reported], [["a"], ["a"]])
})

test("is busy where many checks wait already, and for a client that leaves", async () => {
  const { schedule } = start()
  const leaving = new AbortController()
  const left = schedule.check("left", leaving.signal)
  for (const site of names(31)) void schedule.check(site, signal)
  assert.deepEqual(await schedule.check("another", signal), { kind: "busy", retryAfter: 10 })
  leaving.abort()
  assert.deepEqual(await left, { kind: "busy", retryAfter: 10 })
})

test("a check of a site that is taken away while it waits ends", async () => {
  const { schedule, update, begun } = start()
  const busy = all(names(8), CHANGED)
  update({ ...busy, a: OK })
  const check = schedule.check("a", signal)
  update(busy)
  assert.deepEqual(await check, { kind: "busy", retryAfter: 10 })
  assert.deepEqual(begun(), names(8))
})

test("ends probes when it is closed, reports nothing then and begins none", async () => {
  const { schedule, reported, update, begun } = start()
  update({ a: CHANGED })
  const check = schedule.check("a", signal)
  await schedule.close()
  assert.deepEqual(await check, { kind: "busy", retryAfter: 10 })
  update({ a: DOWN, b: CHANGED })
  assert.deepEqual([begun(), reported], [["a"], []])
  assert.equal((await schedule.check("c", signal)).kind, "busy")
})
