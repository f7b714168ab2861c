import assert from "node:assert/strict"
import test from "node:test"
import type { SiteStatus, State } from "../status/overview.ts"
import { strip } from "./strip.ts"
import { fakeSite } from "./fake-sites.testing.ts"

/** `ok 90, down 6` as quarter hours. */
function day(text: string): SiteStatus["day"] {
  return text.split(", ").flatMap((run) => {
    const [state = "", quarters] = run.split(" ")
    return Array.from({ length: Number(quarters) }, () => (state === "null" ? null : (state as State)))
  })
}

const ENDS = "2026-11-30T14:15:00Z"

/** Of a site that is still as it was in the last quarter, or in another state. */
function drawn(text: string, since = "2026-11-29T00:00:00Z", state?: State): string {
  const quarters = day(text)
  const site = {
    day: quarters,
    dayEnds: new Date(ENDS),
    since: new Date(since),
    state: state ?? quarters.at(-1) ?? "ok",
  }
  return strip(fakeSite("a", site)).text
}
const title = (...of: Parameters<typeof drawn>): string | undefined => /<title>(.*)<\/title>/.exec(drawn(...of))?.[1]

test("says the last 24 hours in words, with times where they are few", () => {
  const rows = [
    ["ok 96", "24 h: delivering throughout"],
    ["down 96", "24 h: not delivering throughout"],
    ["null 96", "24 h: nothing known"],
    ["ok 90, down 6", "24 h: not delivering since 12:45 UTC, else delivering"],
    ["ok 50, down 2, ok 44", "24 h: not delivering from 02:45 to 03:15 UTC, else delivering"],
    ["stale 4, down 92", "24 h: stale from 14:15 to 15:15, not delivering since 15:15 UTC"],
    ["null 50, ok 46", "24 h: delivering since 02:45 UTC"],
    ["null 95, waiting 1", "24 h: waiting since 14:00 UTC"],
    [
      "ok 40, down 1, ok 5, stale 2, ok 5, down 3, ok 5, attention 35",
      "24 h: not delivering for 1 h, stale for 30 min, needs attention for 8 h 45 min, else delivering",
    ],
    ["ok 3", "24 h: delivering since 13:30 UTC"],
  ] as const
  assert.deepEqual(
    rows.map(([text]) => [text, title(text)]),
    rows,
  )
})

test("says of the last quarter what the site is in now, and since when", () => {
  const rows = [
    ["null 95, attention 1", "2026-11-30T14:03:00Z", "attention", "24 h: needs attention since 14:03 UTC"],
    ["ok 94, down 2", "2026-11-30T13:52:00Z", "down", "24 h: not delivering since 13:52 UTC, else delivering"],
    ["ok 94, down 2", "2026-11-30T14:03:00Z", "ok", "24 h: not delivering from 13:45 to 14:03 UTC, else delivering"],
    ["down 96", "2026-11-30T14:03:00Z", "ok", "24 h: not delivering from 14:15 to 14:03 UTC"],
    [
      "ok 90, attention 6",
      "2026-11-30T14:03:00Z",
      "attention",
      "24 h: needs attention at times since 12:45 UTC, else delivering",
    ],
    ["null 95, ok 1", "2026-11-30T14:03:00Z", "ok", "24 h: delivering since 14:03 UTC"],
    ["null 90, ok 4, null 2", "2026-11-30T12:50:00Z", "ok", "24 h: delivering from 12:45 to 13:45 UTC"],
  ] as const
  assert.deepEqual(
    rows.map(([text, since, state]) => [text, since, state, title(text, since, state)]),
    rows,
  )
})

test("draws one path for each state: thin where the site delivered, tall where not, none where nothing is known", () => {
  assert.equal(
    drawn("null 10, ok 50, down 2, ok 30, down 4"),
    `<svg class="strip" viewBox="0 0 96 16" preserveAspectRatio="none" role="img">
<title>24 h: not delivering from 05:15 to 05:45, not delivering since 13:15 UTC, else delivering</title>
<path class="c-down" d="M60 2h2v12h-2zM92 2h4v12h-4z"/><path class="c-ok" d="M10 9h50v5h-50zM62 9h30v5h-30z"/>
</svg>`,
  )
})
