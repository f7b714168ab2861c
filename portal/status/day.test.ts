import assert from "node:assert/strict"
import { test } from "node:test"
import { type Day, EMPTY_DAY, endOf, isDay, statesOf, withState } from "./day.ts"

const at = (text: string): number => Date.parse(`2026-11-30T${text}Z`)
/** The last quarters. */
const tail = ({ letters }: Day, quarters: number): string => letters.slice(-quarters)

test("keeps the worst state of each quarter, and nothing of those of which nothing is known", () => {
  let day = withState(EMPTY_DAY, "ok", at("10:01"))
  for (const state of ["down", "stale", "ok"] as const) day = withState(day, state, at("10:20"))
  day = withState(day, "attention", at("11:14:59"))
  assert.equal(tail(day, 6), "-od--a")
  assert.deepEqual(statesOf(day).slice(-3), [null, null, "attention"])
  assert.equal(endOf(day).toISOString(), "2026-11-30T11:15:00.000Z")
})

test("notes no state that is not known, and is the same object while nothing changes", () => {
  const day = withState(EMPTY_DAY, "ok", at("10:01"))
  assert.equal(withState(day, "ok", at("10:02")), day)
  assert.equal(withState(day, "paused", at("10:02")), day)
  assert.equal(tail(withState(day, "unknown", at("10:16")), 2), "o-")
})

test("forgets what is more than a day ago", () => {
  const day = withState(EMPTY_DAY, "down", at("00:00"))
  assert.equal(withState(day, "ok", at("23:59")).letters, `d${"-".repeat(94)}o`)
  assert.equal(withState(day, "ok", at("23:59") + 60_000).letters, `${"-".repeat(95)}o`)
  assert.equal(withState(day, "ok", at("10:00") + 10 * 86_400_000).letters, `${"-".repeat(95)}o`)
})

test("keeps what was noted when the clock goes back", () => {
  const day = withState(EMPTY_DAY, "ok", at("10:01"))
  assert.equal(tail(withState(day, "down", at("09:01")), 1), "d")
  assert.equal(withState(day, "down", at("09:01")).ends, day.ends)
})

test("knows a damaged one", () => {
  assert.deepEqual(
    [
      EMPTY_DAY,
      { ends: 1.5, letters: EMPTY_DAY.letters },
      { ends: 1, letters: "o" },
      { ends: 1, letters: "x".repeat(96) },
    ].map(isDay),
    [true, false, false, false],
  )
})
