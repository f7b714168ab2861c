import assert from "node:assert/strict"
import { test } from "node:test"
import { find } from "../diagnosis/find.ts"
import type { Site } from "../federation/sites.ts"
import type { SiteStatus } from "./overview.ts"
import { openProbeTriggers } from "./probe-triggers.ts"
import { NO_SCRAPES, withScrape } from "./record.ts"
import { listedSite } from "./testing.ts"
import { newlyListed, track, type Tracked } from "./tracked.ts"

const moment = { now: 0, ahead: 0, known: true, readySince: 0 }

const ENTRY = {} as Site

function site(state: SiteStatus["state"], cause?: "refused" | "reset", series = 100, entry = ENTRY): Tracked {
  const tracked = track(listedSite("a", { entry }), newlyListed(moment), "prometheus", 0)
  const record = withScrape(NO_SCRAPES, { at: 1, ok: true, seconds: 1, series, kept: series }, 30)
  return { ...tracked, record, finding: cause && find(cause), row: { ...tracked.row, state } }
}

/** What is to be probed at these seconds, and why. */
function triggered(...turns: readonly (readonly [at: number, tracked: Tracked])[]): readonly string[] {
  let clock = 0
  const triggers = openProbeTriggers(() => clock)
  return turns.map(([at, tracked]) => {
    clock = at * 1000
    const trigger = triggers([tracked]).get("a")
    return [trigger?.changed === true && "changed", trigger?.failing === true && "failing"].filter(Boolean).join(" ")
  })
}

test("has a site probed at once where the state or the cause changes", () => {
  const turns = [site("ok"), site("down", "refused"), site("down", "refused"), site("down", "reset"), site("ok")]
  assert.deepEqual(triggered(...turns.map((one, index) => [index, one] as const)), [
    "",
    "changed failing",
    "failing",
    "changed failing",
    "",
  ])
})

test("has a site that delivers probed soon after a start, now and then, and where it lost series", () => {
  const ok = site("ok")
  const at = [0, 1, 480, 481, 482, 961, -3600, -3599].map((second) => [second, ok] as const)
  assert.deepEqual(triggered(...at), ["", "changed", "", "changed", "", "changed", "changed", ""])
  const fewer = site("ok", undefined, 79)
  assert.deepEqual(triggered([0, ok], [1, ok], [2, fewer], [3, fewer]), ["", "changed", "changed", ""])
})

test("has no site probed while it is not known how the site is, nor of a paused one", () => {
  assert.deepEqual(triggered([0, site("unknown", "refused")], [1, site("waiting")]), ["", ""])
  const paused = { ...site("paused"), site: listedSite("a", { paused: {}, entry: {} as Site }) }
  assert.equal(openProbeTriggers(() => 0)([paused]).size, 0)
})

test("has a site probed at once where its token or what it is requested with changed, though it delivers", () => {
  const entry = (about: Partial<Site>): Tracked => site("ok", undefined, 100, { ...ENTRY, ...about })
  const turns = [
    entry({ secretFile: "tokens/a.1" }),
    entry({ secretFile: "tokens/a.1" }),
    entry({ secretFile: "tokens/a.1", where: "sites.yaml:9:5" }),
    entry({ secretFile: "tokens/a.2" }),
    entry({ secretFile: "tokens/a.2", match: ["up"] }),
    entry({ secretFile: "tokens/a.2", match: ["up"] }),
  ]
  assert.deepEqual(triggered(...turns.map((one, index) => [index, one] as const)), [
    "",
    "changed",
    "",
    "changed",
    "changed",
    "",
  ])
})
