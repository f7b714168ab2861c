import assert from "node:assert/strict"
import test from "node:test"
import type { Banner, Overview, State } from "../status/overview.ts"
import { headline } from "./headline.ts"
import { fakeBanner, fakeSite } from "./fake-sites.testing.ts"
import { fakeSource } from "./fake-source.testing.ts"

const overview = (counts: Partial<Record<State, number>>, banners: readonly Banner[] = []): Overview => {
  const sites = Object.entries(counts).flatMap(([state, number]) =>
    Array.from({ length: number }, (_, index) => fakeSite(`${state}-${index}`, { state: state as State })),
  )
  return { ...fakeSource(sites).current(), banners }
}

const said = (counts: Partial<Record<State, number>>): string => {
  const { first, rest, mood } = headline(overview(counts))
  return `${mood}: ${first} ${rest}`.trim()
}

test("says first how many sites do not deliver", () => {
  assert.deepEqual(
    [
      said({ down: 7, stale: 2, attention: 3, waiting: 1, ok: 16, paused: 1 }),
      said({ down: 1, attention: 1, ok: 28 }),
      said({ stale: 1 }),
      said({ down: 2 }),
      said({ down: 299, stale: 1 }),
      said({ ok: 300 }),
      said({ ok: 2 }),
      said({ ok: 1 }),
      said({ ok: 1000, attention: 200 }),
      said({ ok: 28, waiting: 2, paused: 1 }),
      said({ ok: 1, paused: 2 }),
      said({ waiting: 2 }),
      said({ paused: 3 }),
      said({ paused: 1 }),
      said({}),
    ],
    [
      "trouble: 9 of 30 sites don't deliver. 3 need attention.",
      "trouble: 1 of 30 sites doesn't deliver. 1 needs attention.",
      "trouble: The site does not deliver.",
      "trouble: Neither of the 2 sites delivers.",
      "trouble: None of the 300 sites delivers.",
      "ok: All 300 sites deliver.",
      "ok: Both sites deliver.",
      "ok: The site delivers.",
      "attention: All 1,200 sites deliver. 200 need attention.",
      "attention: 28 of 31 sites deliver. 2 wait for the first scrape. 1 is paused.",
      "ok: 1 of 3 sites delivers. 2 are paused.",
      "attention: No site delivers yet. 2 wait for the first scrape.",
      "attention: All 3 sites are paused.",
      "attention: The site is paused.",
      "attention: No sites are listed yet.",
    ],
  )
})

test("never says that sites deliver while that is not known", () => {
  assert.deepEqual(
    [said({ unknown: 300 }), said({ unknown: 1 }), said({ unknown: 2, ok: 5, paused: 1 })],
    [
      "attention: It is not known which of the 300 sites deliver.",
      "attention: It is not known whether the site delivers.",
      "attention: It is not known whether 2 of the 8 sites deliver. 1 is paused.",
    ],
  )
})

test("is not well while there is a banner", () => {
  const moods = (["trouble", "attention"] as const).map(
    (severity) => headline(overview({ ok: 3 }, [fakeBanner({ severity })])).mood,
  )
  assert.deepEqual(moods, ["trouble", "attention"])
})

test("shows no picture of all well where a site is not known, as one of another Prometheus", () => {
  assert.equal(headline(overview({ unknown: 1, ok: 5 })).mood, "attention")
})

test("does not count paused sites among those of which some are known", () => {
  assert.equal(said({ unknown: 2, paused: 1 }), "attention: It is not known which of the 3 sites deliver. 1 is paused.")
})
